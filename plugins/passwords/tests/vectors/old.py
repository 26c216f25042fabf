"""Hashes by Django 4.2 and Werkzeug 2.2, which still wrote them, and {SSHA384} by OpenLDAP's slappasswd with pw-sha2.

pip install django==4.2.16 werkzeug==2.2.3; python old.py >old.tsv
"""
import json, subprocess

from django.conf import settings

settings.configure(PASSWORD_HASHERS=[
    "django.contrib.auth.hashers." + name for name in ("SHA1PasswordHasher", "MD5PasswordHasher")])
from django.contrib.auth import hashers
from werkzeug.security import generate_password_hash

PASSWORDS = ["correct horse battery staple", "p\u00e4ssw\u00f6rd \U0001f980 \" ' \\ $", " x ", "\u00ff\u00a3 345 " * 20]


def say(maker, password, text):
    print(maker, json.dumps(password), text, sep="\t")


for password in PASSWORDS:
    for hasher in hashers.get_hashers():
        say("django", password, hasher.encode(password, hasher.salt()))
    for method in ("sha1", "sha256", "sha512"):
        say("werkzeug", password, generate_password_hash(password, method))
    command = ["slappasswd", "-o", "module-load=pw-sha2", "-h", "{SSHA384}", "-s", password]
    say("openldap", password, subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip())
