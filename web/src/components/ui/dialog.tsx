import { X } from "lucide-react";
import { Dialog as Radix } from "radix-ui";
import type { ReactNode } from "react";
import { classes } from "@/lib/classes";
import { buttonClasses } from "./button";
import { ScrollRegion } from "./scroll";

const SHAPES = {
  small: "arrive inset-x-3 top-[8dvh] mx-auto max-h-[84dvh] max-w-md rounded-xl",
  medium: "arrive inset-x-3 top-[6dvh] mx-auto max-h-[88dvh] max-w-2xl rounded-xl",
  large: "arrive inset-x-3 top-[4dvh] mx-auto max-h-[92dvh] max-w-4xl rounded-xl",
  drawer: "slide-in inset-y-0 right-0 w-full max-w-xl border-y-0 border-r-0",
};

type Props = {
  open: boolean;
  onClose: () => void;
  title: ReactNode;
  description?: ReactNode;
  shape?: keyof typeof SHAPES;
  actions?: ReactNode;
  children: ReactNode;
};

export function Dialog({ open, onClose, title, description, shape = "small", actions, children }: Props) {
  return (
    <Radix.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 bg-black/45" />
        <Radix.Content
          className={classes("fixed z-50 flex flex-col border bg-surface shadow-2xl outline-none", SHAPES[shape])}
        >
          <header className="flex items-start gap-3 border-b px-4 py-3 sm:px-5">
            <div className="min-w-0 flex-1">
              <Radix.Title className="text-base font-semibold break-words">{title}</Radix.Title>
              <Radix.Description className={description ? "text-[13px] text-muted" : "sr-only"}>
                {description ?? "Dialog"}
              </Radix.Description>
            </div>
            {actions}
            <Radix.Close aria-label="Close" className={buttonClasses("quiet", "small-icon")}>
              <X />
            </Radix.Close>
          </header>
          <ScrollRegion label="Content" className="min-h-0 flex-1 overflow-y-auto p-4 -outline-offset-2 sm:p-5">
            {children}
          </ScrollRegion>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
