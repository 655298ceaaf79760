import { PageHead } from "@/components/ui/card";
import { IntegrationDashboard } from ".";

export function IntegrationPage() {
  return (
    <>
      <PageHead title="Integration" hint="From your programs to this page." />
      <IntegrationDashboard />
    </>
  );
}
