import { chooseTheme, useThemeChoice } from "@/app/theme";
import { ApiKeySettings } from "@/components/integration";
import { PageHead } from "@/components/ui/card";
import { Segments } from "@/components/ui/tabs";

export function Settings() {
  const theme = useThemeChoice();
  return (
    <div className="mx-auto max-w-4xl">
      <PageHead title="Settings" hint="Of your account.">
        <Segments
          label="Theme"
          value={theme}
          onChange={chooseTheme}
          choices={[
            { value: "light", name: "Light" },
            { value: "dark", name: "Dark" },
            { value: "system", name: "As the system" },
          ]}
        />
      </PageHead>
      <ApiKeySettings />
    </div>
  );
}
