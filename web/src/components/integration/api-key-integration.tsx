import { useState } from "react";
import { Dialog } from "@/components/ui/dialog";
import { Tabs } from "@/components/ui/tabs";
import { ExamplePicker } from "./examples";
import { SetUp } from "./set-up";
import { UsageGuide } from "./usage-guide";

/** How a program sends what it used: what is needed, the code, and what may be said of a call. */
export function ApiKeyIntegration({
  isOpen,
  onClose,
  apiKey,
}: {
  isOpen: boolean;
  onClose: () => void;
  apiKey?: string;
}) {
  const [tab, setTab] = useState("code");
  return (
    <Dialog
      open={isOpen}
      onClose={onClose}
      shape="large"
      title="Send your first call"
      description="Put your key in place of the placeholder, and run it."
    >
      <Tabs
        label="Parts of the guide"
        value={tab}
        onChange={setTab}
        tabs={[
          { id: "setup", name: "Set-up", content: () => <SetUp apiKey={apiKey} /> },
          { id: "code", name: "Code examples", content: () => <ExamplePicker apiKey={apiKey} /> },
          { id: "usage", name: "Usage guide", content: () => <UsageGuide /> },
        ]}
      />
    </Dialog>
  );
}
