using System.Text.Json.Nodes;
using Stoa.Gateway.Runs;

namespace Stoa.Gateway.RunTools;

/// <summary>
/// Lets a model say how it means to go about its work, where the request asks for that (<c>mode</c> or <c>action</c> <c>todo</c> or
/// <c>plan</c>): listeners are told each time, and the last plan stands in the history.
/// </summary>
internal sealed class PlanTool(string name) : RunTool(
    name, "Write down the steps that you are going to take, before you begin and again whenever one is done. Always give the whole list.",
    SchemaOf())
{
    public const string UsualName = "update_plan";

    private const int MaxSteps = 50;
    private const int MaxLetters = 2_000;

    private static readonly string[] States = ["pending", "in_progress", "completed"];

    public static bool IsWanted(Run run) => (run.Input.Body.Text("mode") ?? run.Input.Body.Text("action")) is "todo" or "plan";

    public override Task<ToolOutcome> CallAsync(JsonObject arguments, Run run, CancellationToken ct)
    {
        var steps = arguments.List("items").Objects()
            .Where(step => step.Name("content") is not null).Take(MaxSteps).Select(StepOf).ToList();
        if (steps.Count == 0)
        {
            return Task.FromResult(ToolOutcome.Failed("items must be a list of steps", "plan"));
        }
        var plan = new JsonArray([.. steps]);
        run.Plans = plan;
        return Task.FromResult(new ToolOutcome("The plan is written down", IsError: false, new() { ["type"] = "plan" }) { Plan = plan });
    }

    private static JsonObject StepOf(JsonObject step)
    {
        var content = step.Name("content")!;
        return new()
        {
            ["content"] = content.Length > MaxLetters ? content[..MaxLetters] : content,
            ["status"] = States.Contains(step.Text("status"), StringComparer.Ordinal) ? step.Text("status") : States[0],
        };
    }

    private static JsonObject SchemaOf() => new()
    {
        ["type"] = "object",
        ["properties"] = new JsonObject
        {
            ["items"] = new JsonObject
            {
                ["type"] = "array",
                ["items"] = new JsonObject
                {
                    ["type"] = "object",
                    ["properties"] = new JsonObject
                    {
                        ["content"] = new JsonObject { ["type"] = "string" },
                        ["status"] =
                            new JsonObject { ["type"] = "string", ["enum"] = new JsonArray([.. States.Select(state => (JsonNode)state)]) },
                    },
                    ["required"] = new JsonArray("content", "status"),
                },
            },
        },
        ["required"] = new JsonArray("items"),
    };
}
