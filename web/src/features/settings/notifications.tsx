import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Mail } from "lucide-react";
import { api, dataOf, Failure, type Schemas } from "@/api/client";
import { settings } from "@/api/queries";
import { Button, buttonClasses } from "@/components/ui/button";
import { Card, CardHead } from "@/components/ui/card";
import { InlineFailure } from "@/components/ui/states";

/** Whether e-mail works, and where programs are told. */
export function NotificationSettings() {
  const test = useMutation({ mutationFn: () => dataOf(api.POST("/api/notifications/email/test")) });
  const { data: known } = useQuery(settings());
  const notConfigured =
    known?.mailIsConfigured === false || (test.error instanceof Failure && test.error.code === "mail_not_configured");
  return (
    <div className="grid grid-cols-1 gap-4">
      <Card>
        <CardHead title="E-mail" hint="Alerts of budgets go out by the mail server of this installation.">
          <Button busy={test.isPending} disabled={notConfigured} onClick={() => test.mutate()}>
            <Mail />
            Send me a test
          </Button>
        </CardHead>
        <div className="min-h-[6.5rem] px-4 pb-4 sm:min-h-[4.25rem] sm:px-5">
          {notConfigured ? (
            <p role="status" className="rounded-lg bg-warn-soft px-3 py-2 text-warn">
              No mail server is configured. The section <code className="font-mono">[smtp]</code> of the server's
              configuration names one; until then alerts are on the list and go to webhooks.
            </p>
          ) : (
            <InlineFailure failure={test.error} />
          )}
          {test.data && <Outcome outcome={test.data} />}
          {!test.data && !test.error && !notConfigured && (
            <p className="text-muted">The test says what the mail server answered, word by word.</p>
          )}
        </div>
      </Card>
      <Card>
        <CardHead title="Webhooks" hint="Slack, Teams, Discord and programs of your own are told by signed HTTP calls.">
          <Link to="/webhooks" className={buttonClasses()}>
            To the webhooks
          </Link>
        </CardHead>
        <div className="pb-2" />
      </Card>
    </div>
  );
}

function Outcome({ outcome }: { outcome: Schemas["EmailTest"] }) {
  const { to, isTaken, status, response, failure } = outcome;
  return (
    <p role="status" className={`rounded-lg px-3 py-2 ${isTaken ? "bg-accent-soft" : "bg-bad-soft text-bad"}`}>
      {isTaken ? `The mail server took the letter to ${to}.` : `The letter to ${to} was not taken: ${failure}.`}
      {status != null && (
        <span className="block text-[13px]">
          It answered {status} {response}
        </span>
      )}
    </p>
  );
}
