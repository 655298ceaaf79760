import { type ReactNode, useEffect, useRef, useState } from "react";
import { Button } from "./button";

/** How long the second press is waited for. */
const PATIENCE_MS = 6_000;

type Props = {
  /** What the first press says, also to those who see only its sign. */
  label: string;
  /** What the second one says. */
  sure: string;
  icon?: ReactNode;
  busy?: boolean;
  disabled?: boolean;
  onConfirm: () => void;
};

/** What cannot be undone takes two presses. */
export function ConfirmButton({ label, sure, icon, busy, disabled, onConfirm }: Props) {
  const [asking, setAsking] = useState(false);
  const second = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!asking) return;
    second.current?.focus();
    const timer = setTimeout(() => setAsking(false), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [asking]);
  if (asking) {
    return (
      <Button
        ref={second}
        look="danger"
        size="small"
        busy={busy ?? false}
        onClick={() => {
          setAsking(false);
          onConfirm();
        }}
      >
        {sure}
      </Button>
    );
  }
  return (
    <Button
      look={icon ? "quiet" : "danger"}
      size={icon ? "small-icon" : "small"}
      busy={busy ?? false}
      disabled={disabled}
      {...(icon ? { "aria-label": label, title: label } : {})}
      onClick={() => setAsking(true)}
    >
      {icon ?? label}
    </Button>
  );
}
