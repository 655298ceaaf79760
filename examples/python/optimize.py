"""Ask a provider through the optimizer: the answer comes with its cost, and with what could be saved.

Needs OPENAI_API_KEY, API_KEY (the tracker's address) and AICT_API_KEY (a tracker key).
"""

from ai_cost_tracker import AICostOptimizer, Optimizations

wanted = Optimizations(whitespace=True, cheaper_model=["gpt-4.1-mini", "gpt-4o-mini"])
with AICostOptimizer(optimizations=wanted) as optimizer:
    answer = optimizer.optimize(
        model="gpt-4",
        prompt="Say   something    about the price of things",
        cost_allocation={"department": "marketing"},
    )
print(answer.text)
print("tokens:", answer.usage.total_tokens, "cost:", answer.cost)
for optimization in answer.optimizations:
    print(optimization.type, optimization.applied, optimization.model, optimization.cost_saved)
