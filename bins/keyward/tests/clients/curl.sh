#!/usr/bin/env bash
# curl: what an integration developer tries first.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

fail() { echo "$1" >&2; cat "$scratch/headers" "$scratch/body" >&2; exit 1; }
verified() { echo "verified: $1"; }

# call STATUS CURL-ARGUMENTS…: the reply is in $scratch/headers and $scratch/body.
call() {
  local expected=$1 status
  status=$(curl -sS --max-time 10 -D "$scratch/headers" -o "$scratch/body" -w '%{http_code}' "${@:2}")
  [ "$status" = "$expected" ] || fail "status $status, expected $expected, of curl ${*:2}"
}
has_header() { grep -qi "^$1" "$scratch/headers" || fail "no header $1"; }
field() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1" <"$scratch/body"; }
equal() { [ "$2" = "$3" ] || fail "$1: found $2, expected $3"; }

token_url="$KEYWARD_URL/oauth2/token"
basic=(-u "$CLIENT_ID:$CLIENT_SECRET")
grant=(-d grant_type=client_credentials)

check_token() {
  has_header 'content-type: application/json'
  has_header 'cache-control: no-store'
  equal token_type "$(field token_type)" Bearer
  equal scope "$(field scope | tr ' ' '\n' | sort)" "$(tr ' ' '\n' <<<"$EXPECT_SCOPE" | sort)"
  [ "$(field access_token | tr -cd . | wc -c)" = 2 ] || fail 'access_token is no JWT'
  verified "$1"
}

call 200 "${basic[@]}" "${grant[@]}" "$token_url"
check_token 'Basic'
call 200 "${grant[@]}" -d "client_id=$CLIENT_ID" --data-urlencode "client_secret=$CLIENT_SECRET" "$token_url"
check_token 'secret in the form'
call 200 --json "{\"grant_type\": \"client_credentials\", \"client_id\": \"$CLIENT_ID\", \"client_secret\": \"$CLIENT_SECRET\"}" "$token_url"
check_token 'secret in JSON'
call 200 "${basic[@]}" --json '{"grant_type": "client_credentials"}' "$token_url"
check_token 'Basic with JSON'

token=$(field access_token)
call 200 "${basic[@]}" -d "token=$token" "$KEYWARD_URL/oauth2/introspect"
equal active "$(field active)" True
equal tenant_id "$(field tenant_id 2>/dev/null || true)" "${EXPECT_TENANT:-}"
call 200 "${basic[@]}" -d "token=$token" "$KEYWARD_URL/oauth2/revoke"
call 200 "${basic[@]}" -d "token=$token" "$KEYWARD_URL/oauth2/introspect"
equal active "$(field active)" False
verified 'introspection and revocation'

call 401 -u "$CLIENT_ID:kws_test_0000000000000000000000000000000000000000001f86zh" "${grant[@]}" "$token_url"
equal error "$(field error)" invalid_client
has_header 'www-authenticate: Basic'
verified 'wrong secret'
call 405 "$token_url"
call 400 "${grant[@]}" "$token_url?client_id=$CLIENT_ID&client_secret=$CLIENT_SECRET"
equal error "$(field error)" invalid_request
call 400 "${basic[@]}" -d grant_type=client_credentials -d grant_type=client_credentials "$token_url"
equal error "$(field error)" invalid_request
verified 'GET, credentials in the query and a repeated parameter are refused'
