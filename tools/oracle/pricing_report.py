"""The comparison as a page of the documentation."""

from importlib.metadata import version

EXAMPLES_MAX = 2

HEAD = """# How our prices compare

{count} usages of {models} models, made from a fixed seed, are priced three times, as of {at}: with the catalog of this
project, with [genai-prices](https://pypi.org/project/genai-prices/) {genai} and with [LiteLLM](https://pypi.org/project/litellm/) {litellm}.
They vary in what is cached and for how long it is kept, reasoning, audio, service tier, and the size of the prompt just below, at and above
the thresholds of long-prompt prices. Costs agree when they are at most a nano-dollar apart: ours are exact and rounded once, theirs go through floats
(genai-prices calculates with decimals, from prices that were).

`make conformance` makes this page anew. It fails when a disagreement has no explanation below.

Our catalog is made from genai-prices, so agreement with it shows that nothing was lost on the way, not that the prices are right; LiteLLM's list is kept by others.

| Provider | genai-prices: agree | differ | not known to it | LiteLLM: agree | differ | not known to it |
|---|---:|---:|---:|---:|---:|---:|
"""


def render(settings, tallies, by_cause, unexplained, describe):
    """The page as Markdown."""
    text = HEAD.format(genai=version("genai-prices"), litellm=version("litellm"), **settings)
    for provider in dict.fromkeys(provider for _, provider in tallies):
        cells = [provider]
        for oracle in ("genai-prices", "LiteLLM"):
            tally = tallies[oracle, provider]
            cells += [tally["agree"], tally["differ"], tally["only ours"]]
        text += "| " + " | ".join(map(str, cells)) + " |\n"
    text += "\n## Where they differ\n"
    for cause, cases in sorted(by_cause.items(), key=lambda item: -len(item[1])):
        oracle = cases[0][0]
        text += f"\n### {cause.title}\n\n{len(cases)} of the usages, against {oracle}. **Right: {cause.right}.** {cause.why}\nSource: <{cause.url}>\n\n"
        text += "".join(f"- {describe(*case)}\n" for case in cases[:EXAMPLES_MAX])
    if unexplained:
        text += "\n### Not explained\n\n" + "".join(f"- {describe(*case)}\n" for case in unexplained)
    return text
