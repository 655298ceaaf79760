#!/usr/bin/env python3
"""What the Azure LLM inference trace 2023 cost at November 2023 prices, computed without the product.

Usage: azure_trace_cost.py CONVERSATION.csv CODE.csv
Prints JSON: rows, tokens and dollars (exact digits, as text) for each file and for both.
Prices: gpt-3.5-turbo-1106 $1 and gpt-4-0613 $30 per million input tokens, $2 and $60 per million output tokens
(https://web.archive.org/web/20231116000000/https://openai.com/pricing).
"""

import csv
import json
import sys
from decimal import Decimal, getcontext

getcontext().prec = 60
MILLION = Decimal(1_000_000)
NANO = Decimal("0.000000001")
PRICES = {"conversation": (Decimal(1), Decimal(2)), "code": (Decimal(30), Decimal(60))}


def total(path, prices):
    """Rows, tokens and dollars of one file."""
    input_price, output_price = prices
    rows, tokens, dollars = 0, 0, Decimal(0)
    with open(path, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            context, generated = int(row["ContextTokens"]), int(row["GeneratedTokens"])
            cost = (context * input_price + generated * output_price) / MILLION
            # At these prices a call costs whole nano-dollars; nothing is rounded.
            assert cost == cost.quantize(NANO), row
            rows, tokens, dollars = rows + 1, tokens + context + generated, dollars + cost
    return rows, tokens, dollars


def main(conversation, code):
    """Prints the totals of both files."""
    totals = {"conversation": total(conversation, PRICES["conversation"]), "code": total(code, PRICES["code"])}
    totals["both"] = tuple(a + b for a, b in zip(totals["conversation"], totals["code"]))
    named = {
        name: {"rows": rows, "tokens": tokens, "dollars": format(dollars.quantize(NANO), "f")}
        for name, (rows, tokens, dollars) in totals.items()
    }
    print(json.dumps(named, indent=2))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
