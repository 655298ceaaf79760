// What a heat map needs besides: the first page does not load it.
import { HeatmapChart } from "echarts/charts";
import { VisualMapComponent } from "echarts/components";
import { use } from "echarts/core";

use([HeatmapChart, VisualMapComponent]);
