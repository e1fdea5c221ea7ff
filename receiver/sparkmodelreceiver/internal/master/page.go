package master

import (
	"bytes"
	"context"
	"net/url"
	"strings"

	"golang.org/x/net/html"

	"github.com/otelcol-sparkmodel/otelcol-sparkmodel/receiver/sparkmodelreceiver/internal/rest"
)

// driverLink is the text of the link to the driver's UI on the page of an application that has not ended (Spark's
// ApplicationPage, the same in 3.5 and 4.3).
const driverLink = "Application Detail UI"

// DriverAddress reads where an application's driver says that its UI is, which a Master tells on a page alone; empty if
// the page does not. With spark.ui.reverseProxy it is a path on the Master.
func DriverAddress(ctx context.Context, master *rest.Client, id string) (string, error) {
	page, err := master.Page(ctx, rest.Request{Endpoint: "/app", Path: []string{"app"}, Slash: true, Query: url.Values{"appId": {id}}})
	if err != nil {
		return "", err
	}
	return linkTo(page, driverLink), nil
}

// linkTo returns where the first link with a text leads on a page; empty if there is none.
func linkTo(page []byte, text string) string {
	href := ""
	tokens := html.NewTokenizer(bytes.NewReader(page))
	for {
		switch tokens.Next() {
		case html.ErrorToken:
			return ""
		case html.StartTagToken:
			href = ""
			if token := tokens.Token(); token.Data == "a" {
				href = attribute(token, "href")
			}
		case html.EndTagToken:
			href = ""
		case html.TextToken:
			if href != "" && strings.TrimSpace(string(tokens.Text())) == text {
				return href
			}
		}
	}
}

func attribute(token html.Token, key string) string {
	for _, a := range token.Attr {
		if a.Key == key {
			return strings.TrimSpace(a.Val)
		}
	}
	return ""
}
