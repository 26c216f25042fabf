"""Hashes by Django 5.2, Werkzeug 3.1 and passlib (libpass 1.9), and one Keycloak credential by hashlib and argon2-cffi.

pip install django==5.2.19 werkzeug==3.1.9 libpass==1.9.4 'bcrypt<5' argon2-cffi==25.1.0; python python.py >python.tsv
"""
import base64, hashlib, json, os

import argon2.low_level
import django
from django.conf import settings

settings.configure(PASSWORD_HASHERS=[
    "django.contrib.auth.hashers." + name for name in (
        "PBKDF2PasswordHasher", "PBKDF2SHA1PasswordHasher", "Argon2PasswordHasher", "BCryptSHA256PasswordHasher",
        "BCryptPasswordHasher", "ScryptPasswordHasher", "MD5PasswordHasher")])
django.setup()
from django.contrib.auth import hashers
from passlib import hash as passlib
from werkzeug.security import generate_password_hash

PASSWORDS = ["correct horse battery staple", "p\u00e4ssw\u00f6rd \U0001f980 \" ' \\ $", " x ",
             "a" * 71 + "\u00e9" + "b" * 30, "\u00ff\u00a3 345 " * 20]


def say(maker, password, text):
    print(maker, json.dumps(password), text, sep="\t")


for hasher in hashers.get_hashers():
    hasher.iterations = min(getattr(hasher, "iterations", 2000), 2000)
    hasher.rounds, hasher.memory_cost, hasher.time_cost, hasher.parallelism = 4, 256, 2, 2
    hasher.work_factor = 2 ** 10
for password in PASSWORDS:
    for hasher in hashers.get_hashers():
        if hasher.algorithm == "bcrypt" and len(password.encode()) > 72:
            continue
        say("django", password, hasher.encode(password, hasher.salt()))
    for method in ("pbkdf2:sha256:1000", "pbkdf2:sha512:1000", "pbkdf2:sha1:1000", "scrypt:1024:8:1"):
        say("werkzeug", password, generate_password_hash(password, method))
    for handler, options in (
            ("pbkdf2_sha1", {"rounds": 1000}), ("pbkdf2_sha256", {"rounds": 1000}), ("pbkdf2_sha512", {"rounds": 1000}),
            ("scrypt", {"rounds": 8}), ("argon2", {"rounds": 2, "memory_cost": 64, "type": "ID"}),
            ("argon2", {"rounds": 2, "memory_cost": 64, "type": "I", "parallelism": 2}),
            ("argon2", {"rounds": 2, "memory_cost": 64, "type": "D"}),
            ("bcrypt_sha256", {"rounds": 4}), ("bcrypt_sha256", {"rounds": 4, "version": 1}),
            ("sha256_crypt", {"rounds": 5000}), ("sha512_crypt", {"rounds": 1000}), ("sha512_crypt", {"rounds": 1234}),
            ("phpass", {"rounds": 7}), ("ldap_md5", {}), ("ldap_sha1", {}), ("ldap_salted_md5", {}),
            ("ldap_salted_sha1", {}), ("ldap_salted_sha256", {}), ("ldap_salted_sha512", {}),
            ("ldap_sha512_crypt", {"rounds": 1000})):
        try:
            say("passlib", password, getattr(passlib, handler).using(**options).hash(password))
        except Exception as error:
            import sys
            print(handler, repr(error)[:100], file=sys.stderr)
    if len(password.encode()) <= 72:
        for ident in ("2a", "2b", "2y"):
            say("passlib", password, passlib.bcrypt.using(rounds=4, ident=ident).hash(password))
    # Keycloak itself is a Java server; these are its two JSON texts, by its source, over Python's primitives.
    text = lambda value: base64.b64encode(value).decode()
    salt = os.urandom(16)
    for name, function, length in (("pbkdf2", "sha1", 64), ("pbkdf2-sha256", "sha256", 64), ("pbkdf2-sha512", "sha512", 64)):
        value = hashlib.pbkdf2_hmac(function, password.encode(), salt, 1000, length)
        say("keycloak's layout", password, json.dumps({
            "secretData": json.dumps({"value": text(value), "salt": text(salt), "additionalParameters": {}}),
            "credentialData": json.dumps({"hashIterations": 1000, "algorithm": name, "additionalParameters": {}})}))
    value = argon2.low_level.hash_secret_raw(password.encode(), salt, 3, 128, 1, 32, argon2.low_level.Type.ID)
    say("keycloak's layout", password, json.dumps({
        "secretData": {"value": text(value), "salt": text(salt), "additionalParameters": {}},
        "credentialData": {"hashIterations": 3, "algorithm": "argon2", "additionalParameters": {
            "hashLength": ["32"], "memory": ["128"], "type": ["id"], "version": ["1.3"], "parallelism": ["1"]}}}))
