import { Dialog } from "@/components/ui/dialog";
import { ExamplePicker } from "./examples";

/** How a program sends what it used. */
export function ApiKeyIntegration({
  isOpen,
  onClose,
  apiKey,
}: {
  isOpen: boolean;
  onClose: () => void;
  apiKey?: string;
}) {
  return (
    <Dialog
      open={isOpen}
      onClose={onClose}
      shape="large"
      title="Send your first call"
      description="Put your key in place of the placeholder, and run it."
    >
      <ExamplePicker apiKey={apiKey} />
    </Dialog>
  );
}
