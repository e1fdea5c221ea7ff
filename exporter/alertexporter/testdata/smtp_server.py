"""An SMTP server that takes mail after TLS and a login alone, and puts it into a maildir.

usage: smtp_server.py PORT CERTIFICATE KEY USER PASSWORD MAILDIR
"""

import signal
import ssl
import sys

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Mailbox
from aiosmtpd.smtp import AuthResult

port, certificate, key, user, password, maildir = sys.argv[1:]


def authenticate(server, session, envelope, mechanism, login):
    known = (login.login, login.password) == (user.encode(), password.encode())
    return AuthResult(success=known)


tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
tls.load_cert_chain(certificate, key)
controller = Controller(
    Mailbox(maildir),
    hostname="127.0.0.1",
    port=int(port),
    tls_context=tls,
    require_starttls=True,
    auth_required=True,
    auth_require_tls=True,
    authenticator=authenticate,
    auth_exclude_mechanism=["LOGIN"],  # its prompts are not those that Alertmanager knows
)
controller.start()
print("ready", flush=True)
signal.sigwait([signal.SIGTERM])
controller.stop()
