"""Meter an official client in place: every call, streams included, is recorded with what it cost.

Needs OPENAI_API_KEY, API_KEY (the tracker's address: http://localhost:8000/api) and AICT_API_KEY (a tracker key).
"""

import openai

from ai_cost_tracker import AICostOptimizer

with AICostOptimizer() as optimizer:
    client = optimizer.observe(openai.OpenAI(), {"tags": ["example"], "cost_allocation": {"team": "docs"}})
    stream = client.chat.completions.create(
        model="gpt-4o-mini",
        messages=[{"role": "user", "content": "Say something about the price of things"}],
        stream=True,
    )
    for chunk in stream:
        print(chunk.choices[0].delta.content or "", end="")
    print()
    # Closing does so, too, and so does the end of the process.
    optimizer.flush()
    print("records sent:", optimizer.stats.sent)
