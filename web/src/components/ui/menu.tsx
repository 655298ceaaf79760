import { Check } from "lucide-react";
import { DropdownMenu, Popover as RadixPopover } from "radix-ui";
import type { ReactElement, ReactNode } from "react";
import { classes } from "@/lib/classes";

const PANEL =
  "arrive z-50 max-h-[min(70dvh,28rem)] min-w-44 max-w-[calc(100vw-1rem)] overflow-auto rounded-xl border bg-surface p-1 shadow-xl";

export function Menu({
  trigger,
  children,
  align = "end",
}: {
  trigger: ReactElement;
  children: ReactNode;
  align?: "start" | "end";
}) {
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger asChild>{trigger}</DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content align={align} sideOffset={6} collisionPadding={8} className={PANEL}>
          {children}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

type ItemProps = {
  onSelect: () => void;
  children: ReactNode;
  checked?: boolean;
  danger?: boolean;
  disabled?: boolean;
  icon?: ReactNode;
};

export function MenuItem({ onSelect, children, checked, danger, disabled, icon }: ItemProps) {
  return (
    <DropdownMenu.Item
      onSelect={onSelect}
      disabled={disabled ?? false}
      className={classes(
        "flex cursor-pointer items-center gap-2 rounded-lg px-2.5 py-1.5 outline-none select-none data-disabled:opacity-50 data-highlighted:bg-sunken [&_svg]:size-4 [&_svg]:text-muted",
        danger && "text-bad [&_svg]:text-bad",
      )}
    >
      {icon}
      <span className="flex-1">{children}</span>
      {checked && <Check aria-label="chosen" />}
    </DropdownMenu.Item>
  );
}

export function MenuLabel({ children }: { children: ReactNode }) {
  return (
    <DropdownMenu.Label className="px-2.5 pt-2 pb-1 text-xs font-medium text-muted">{children}</DropdownMenu.Label>
  );
}

export function Popover({
  trigger,
  children,
  open,
  onOpen,
  label,
}: {
  trigger: ReactElement;
  children: ReactNode;
  open?: boolean;
  onOpen?: (open: boolean) => void;
  label: string;
}) {
  return (
    <RadixPopover.Root {...(open === undefined ? {} : { open })} {...(onOpen ? { onOpenChange: onOpen } : {})}>
      <RadixPopover.Trigger asChild>{trigger}</RadixPopover.Trigger>
      <RadixPopover.Portal>
        <RadixPopover.Content
          aria-label={label}
          align="start"
          sideOffset={6}
          collisionPadding={8}
          className={classes(PANEL, "w-80 p-3")}
        >
          {children}
        </RadixPopover.Content>
      </RadixPopover.Portal>
    </RadixPopover.Root>
  );
}
