import { ProviderKeys } from "./provider-keys";
import { TrackerKeys } from "./tracker-keys";

/** Keys of one's programs, and keys of providers. */
export function ApiKeySettings() {
  return (
    <div className="grid grid-cols-1 gap-4">
      <TrackerKeys />
      <ProviderKeys />
    </div>
  );
}
