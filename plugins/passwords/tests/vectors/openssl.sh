#!/usr/bin/env bash
# Hashes by `openssl passwd` of OpenSSL 3.0: ./openssl.sh >openssl.tsv
set -euo pipefail
for password in 'correct horse battery staple' 'pässwörd 🦀' ' x ' "$(printf 'y%.0s' {1..200})"; do
  for kind in -5 -6; do
    printf 'openssl\t"%s"\t%s\n' "$password" "$(openssl passwd "$kind" "$password")"
    printf 'openssl\t"%s"\t%s\n' "$password" "$(openssl passwd "$kind" -salt ab "$password")"
  done
done
