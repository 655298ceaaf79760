#!/usr/bin/env bash
# Record a call, look at how its cost came about, and ask what was spent. Nothing but curl.
# Needs API_KEY (the tracker's address: http://localhost:8000/api) and AICT_API_KEY (a tracker key).
set -euo pipefail

ask() { curl --silent --show-error --fail-with-body --header "Authorization: Bearer $AICT_API_KEY" "$@"; }

# The Idempotency-Key makes it safe to send again: the same key is the same record.
recorded=$(ask "$API_KEY/usage/track" \
  --header "Content-Type: application/json" \
  --header "Idempotency-Key: curl-example-1" \
  --data '{
    "service": "openai",
    "model": "gpt-4o-mini",
    "promptTokens": 1000,
    "completionTokens": 500,
    "cacheReadTokens": 200,
    "costAllocation": { "department": "marketing", "team": "content" },
    "tags": ["example"]
  }')
echo "recorded: $recorded"

id=$(sed 's/.*"data":{"id":"\([^"]*\)".*/\1/' <<<"$recorded")
echo "explained: $(ask "$API_KEY/usage/$id")"
echo "spent by team: $(ask --get "$API_KEY/analytics" --data-urlencode "groupBy=day,team")"
