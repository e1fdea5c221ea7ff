package alertexporter

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"flag"
	"fmt"
	"io"
	"math/big"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden messages again")

var links = map[string]string{
	"spark": "http://history:18080/history/{{ .spark_application_id }}",
	"trace": "http://jaeger:16686/trace/{{ .trace_id }}",
}

// badRun is one run with several flags, and with names that somebody chose to do harm.
var badRun = []point{
	{rule: "task_skew", stage: "12", severity: 4, impact: 312},
	{rule: "gc_pressure", severity: 2, impact: 48, reason: "<!channel> & <script>alert(1)</script>"},
	{rule: "task_spill", stage: "9", severity: 1},
}

var clock = regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC`)

// golden compares a message with how it is meant to look.
func golden(t *testing.T, name string, got []byte) {
	got = clock.ReplaceAll(got, []byte("2026-01-02 03:04:05 UTC"))
	path := filepath.Join("testdata", "golden", name)
	if *update {
		require.NoError(t, os.WriteFile(path, got, 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got))
}

// quick still leaves a busy machine the time to bring a whole group together.
const quick = `
route: {receiver: people, group_wait: 2s, group_interval: 1s, repeat_interval: 1h}
`

func TestHowMessagesLook(t *testing.T) {
	for name, receiver := range map[string]string{
		"slack":     `slack_configs: [{api_url: http://people/, channel: "#models", send_resolved: true}]`,
		"teams":     `msteamsv2_configs: [{webhook_url: http://people/}]`,
		"discord":   `discord_configs: [{webhook_url: http://people/}]`,
		"opsgenie":  `opsgenie_configs: [{api_url: http://people/, api_key: k}]`,
		"pagerduty": `pagerduty_configs: [{url: http://people/, routing_key: k}]`,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPeople(t)
				cfg := notifyConfig("receivers:\n- name: people\n  " + receiver)
				cfg.Links = links
				r := run(t, cfg, p, nil, settings())
				r.poll(time.Minute, badRun...)
				golden(t, name+"_firing.json", pretty(t, p.raw()))
				var overs []point
				for _, p := range badRun {
					overs = append(overs, over(p))
				}
				r.say(overs...)
				time.Sleep(5 * time.Minute)
				golden(t, name+"_resolved.json", pretty(t, p.raw()))
			})
		})
	}
}

func pretty(t *testing.T, body []byte) []byte {
	var value any
	require.NoError(t, json.Unmarshal(body, &value), string(body))
	body, err := json.MarshalIndent(value, "", "  ")
	require.NoError(t, err)
	return append(body, '\n')
}

// mailServer takes mail after TLS and login alone.
type mailServer struct {
	user, password string
	mails          chan []byte
}

type mailSession struct {
	server *mailServer
	known  bool
}

func (s *mailServer) NewSession(*smtp.Conn) (smtp.Session, error) {
	return &mailSession{server: s}, nil
}

func (*mailSession) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *mailSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != s.server.user || password != s.server.password {
			return smtp.ErrAuthFailed
		}
		s.known = true
		return nil
	}), nil
}

func (s *mailSession) Mail(string, *smtp.MailOptions) error {
	if !s.known {
		return smtp.ErrAuthRequired
	}
	return nil
}

func (*mailSession) Rcpt(string, *smtp.RcptOptions) error { return nil }

func (s *mailSession) Data(r io.Reader) error {
	body, err := io.ReadAll(r)
	if err == nil {
		s.server.mails <- body
	}
	return err
}

func (*mailSession) Reset() {}

func (*mailSession) Logout() error { return nil }

// certificate returns the path of a certificate for localhost, which is its own authority, and of its key.
func certificate(t *testing.T) (cert, key string) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "localhost"},
		NotAfter:              time.Now().Add(time.Hour),
		DNSNames:              []string{"localhost"},
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA:                  true,
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	require.NoError(t, err)
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	require.NoError(t, os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	require.NoError(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded}), 0o600))
	return cert, key
}

func TestMailWithTLSAndLogin(t *testing.T) {
	backend := &mailServer{user: "ann", password: "s3cr3t", mails: make(chan []byte, 10)}
	ca, key := certificate(t)
	cert, err := tls.LoadX509KeyPair(ca, key)
	require.NoError(t, err)
	server := smtp.NewServer(backend)
	server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{cert}}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	require.NoError(t, listener.Close()) // it is down at first

	cfg := notifyConfig(fmt.Sprintf(`%s
global:
  smtp_smarthost: %s
  smtp_from: collector@example.org
  smtp_auth_username: ann
  smtp_auth_password: s3cr3t
  smtp_tls_config: {ca_file: %s}
receivers:
- name: people
  email_configs: [{to: models@example.org, send_resolved: true}]
`, quick, address, ca))
	cfg.Links = links
	r := run(t, cfg, nil, nil, settings())
	r.say(badRun...)
	time.Sleep(4 * time.Second)
	listener, err = net.Listen("tcp", address)
	require.NoError(t, err)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { require.NoError(t, server.Shutdown(context.Background())) })
	var body []byte
	select {
	case body = <-backend.mails:
	case <-time.After(20 * time.Second):
		t.Fatal("no mail")
	}
	subject, html := readMail(t, body)
	assert.Equal(t, "[FIRING:3] churn 3: task_skew · costs 5m 12s and 2 more (application_1700000000000_0007)", subject)
	assert.NotContains(t, html, "<script>")
	golden(t, "email_firing.html", []byte(html))

	time.Sleep(10 * time.Millisecond)
	r.say(over(badRun[0]), badRun[1], badRun[2])
	select {
	case body = <-backend.mails:
	case <-time.After(20 * time.Second):
		t.Fatal("no mail")
	}
	assert.Empty(t, backend.mails, "nothing lost, nothing doubled")
	_, html = readMail(t, body)
	golden(t, "email_partly_resolved.html", []byte(html))
}

func readMail(t *testing.T, body []byte) (subject, html string) {
	m, err := mail.ReadMessage(bytes.NewReader(body))
	require.NoError(t, err)
	subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	require.NoError(t, err)
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	require.NoError(t, err)
	part, err := multipart.NewReader(m.Body, params["boundary"]).NextRawPart()
	require.NoError(t, err)
	text, err := io.ReadAll(quotedprintable.NewReader(part))
	require.NoError(t, err)
	return subject, string(text)
}
