/** Prints the devices that Vulkan shows in its environment, as JSON; an argument names Vulkan's loader. */

import { listVulkanDevices } from "../../../tasks/mpi/vulkan_devices.ts";

console.log(JSON.stringify(listVulkanDevices(Deno.args[0])));
