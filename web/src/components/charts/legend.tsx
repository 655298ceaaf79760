import type { Series } from "./stacked-time";

/** Names of the layers; each can be looked at more closely. */
export function Legend({
  series,
  onPick,
}: {
  series: readonly Pick<Series, "name" | "colour">[];
  onPick?: ((name: string) => void) | undefined;
}) {
  return (
    <ul aria-label="Legend" className="flex flex-wrap gap-x-1 gap-y-0.5 text-[13px]">
      {series.map(({ name, colour }) => (
        <li key={name}>
          <LegendItem name={name} colour={colour} onPick={onPick} />
        </li>
      ))}
    </ul>
  );
}

function LegendItem({
  name,
  colour,
  onPick,
}: {
  name: string;
  colour: string;
  onPick?: ((name: string) => void) | undefined;
}) {
  const content = (
    <>
      <span aria-hidden="true" className="size-2.5 shrink-0 rounded-sm" style={{ background: colour }} />
      <span className="max-w-52 truncate">{name}</span>
    </>
  );
  const className = "flex items-center gap-1.5 rounded-md px-1.5 py-0.5";
  if (!onPick) return <span className={className}>{content}</span>;
  return (
    <button type="button" className={`${className} hover:bg-sunken`} onClick={() => onPick(name)}>
      {content}
    </button>
  );
}
