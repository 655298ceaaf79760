import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { projects } from "@/api/queries";
import { buttonClasses } from "@/components/ui/button";
import { Card, CardHead } from "@/components/ui/card";
import { Field, Select } from "@/components/ui/field";
import { Loaded } from "@/components/ui/loaded";
import { Empty } from "@/components/ui/states";
import { Members } from "@/features/projects/members";
import type { Project } from "@/services/project.service";

/** Who belongs to one's projects. Whoever has no account is invited. */
export function People() {
  const known = useQuery(projects());
  return (
    <Card>
      <CardHead
        title="Members and invitations"
        hint="People are members of projects. Whoever has no account yet gets an invitation, which opens registration for them."
      />
      <Loaded query={known} skeleton="h-48" className="px-4 pb-4 sm:px-5">
        {(all) =>
          all.length === 0 ? (
            <Empty title="No project yet">
              <Link to="/projects" search={{ new: "yes" }} className={buttonClasses()}>
                Make a project
              </Link>
            </Empty>
          ) : (
            <OfProject all={all} />
          )
        }
      </Loaded>
    </Card>
  );
}

function OfProject({ all }: { all: Project[] }) {
  const [id, setId] = useState(all[0]?.id);
  const project = all.find((one) => one.id === id) ?? all[0];
  if (!project) return null;
  return (
    <div className="grid grid-cols-1 gap-4">
      <Field label="Project" className="max-w-sm">
        {(parts) => (
          <Select {...parts} value={project.id} onChange={(event) => setId(event.target.value)}>
            {all.map((one) => (
              <option key={one.id} value={one.id}>
                {one.name}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <Members key={project.id} project={project} mayChange={project.role === "owner" || project.role === "admin"} />
    </div>
  );
}
