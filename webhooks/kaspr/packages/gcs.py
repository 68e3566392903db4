"""Fetches or stores one object of Google Cloud Storage with the standard library and openssl: the image has no client.

Usage: download|upload KEY_FILE BUCKET OBJECT FILE, run as `python3 -c SOURCE …` by install.sh. Exit code 0 when it
worked; anything else is a reason on stderr, without the token. STORAGE_EMULATOR_HOST names another storage, as for
Google's own libraries.
"""

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

SCOPE = "https://www.googleapis.com/auth/devstorage.read_write"
SECONDS = 300


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(text, private_key):
    # openssl wants the key in a file; it is readable by this user only and gone with the block.
    with tempfile.NamedTemporaryFile() as key:
        key.write(private_key.encode())
        key.flush()
        command = ["openssl", "dgst", "-sha256", "-sign", key.name]
        return subprocess.run(command, input=text.encode(), stdout=subprocess.PIPE, check=True).stdout


def access_token(account):
    audience = account.get("token_uri", "https://oauth2.googleapis.com/token")
    now = int(time.time())
    claims = {"iss": account["client_email"], "scope": SCOPE, "aud": audience, "iat": now, "exp": now + 3600}
    header = {"alg": "RS256", "typ": "JWT"}
    unsigned = ".".join(encoded(json.dumps(part).encode()) for part in (header, claims))
    assertion = unsigned + "." + encoded(signed(unsigned, account["private_key"]))
    grant = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion}
    with urllib.request.urlopen(audience, urllib.parse.urlencode(grant).encode(), SECONDS) as answer:
        return json.load(answer)["access_token"]


def storage():
    host = os.environ.get("STORAGE_EMULATOR_HOST", "https://storage.googleapis.com").rstrip("/")
    return host if "://" in host else "http://" + host


def request(account, url, **options):
    headers = {"Authorization": "Bearer " + access_token(account), **options.pop("headers", {})}
    return urllib.request.urlopen(urllib.request.Request(url, headers=headers, **options), timeout=SECONDS)


def download(account, bucket, name, file):
    url = f"{storage()}/storage/v1/b/{quoted(bucket)}/o/{quoted(name)}?alt=media"
    with request(account, url) as answer, open(file, "wb") as target:
        shutil.copyfileobj(answer, target)


def upload(account, bucket, name, file):
    url = f"{storage()}/upload/storage/v1/b/{quoted(bucket)}/o?uploadType=media&name={quoted(name)}"
    headers = {"Content-Type": "application/gzip", "Content-Length": str(os.path.getsize(file))}
    with open(file, "rb") as source, request(account, url, method="POST", data=source, headers=headers):
        pass


def quoted(text):
    return urllib.parse.quote(text, safe="")


def main(action, key_file, bucket, name, file):
    try:
        with open(key_file, encoding="utf-8") as source:
            account = json.load(source)
        {"download": download, "upload": upload}[action](account, bucket, name, file)
    except (OSError, ValueError, KeyError, subprocess.SubprocessError) as error:
        # A KeyError names the missing field, an HTTPError status and reason: neither holds a secret.
        sys.exit(f"{action} of gs://{bucket}/{name}: {type(error).__name__}: {error}")


main(*sys.argv[1:])
