import { ImageDown } from "lucide-react";
import { Button } from "@/components/ui/button";

/** Saves a chart as a picture. */
export const PictureButton = ({ onSave }: { onSave: () => void }) => (
  <Button look="quiet" size="small-icon" aria-label="Save the chart as a picture" title="Save as PNG" onClick={onSave}>
    <ImageDown />
  </Button>
);
