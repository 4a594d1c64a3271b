using System.Text.Json;
using System.Text.Json.Nodes;
using Stoa.Gateway.Runs.Prompts;
using Stoa.Gateway.RunTools;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Runs;

/// <summary>
/// What an agent does before its model is asked: a function whose result the prompt can name, or a better wording of the question.
/// </summary>
internal sealed class PreToolStep(ToolMaking tools, WebCrawler crawler, BuiltInAgents agents, TimeProvider time)
{
    /// <summary>The variable that holds the result.</summary>
    private const string Result = "pre_function";

    public async Task RunAsync(Run run, CancellationToken ct)
    {
        if (run.Plan.Agent is not { } agent || agent.PreTools.GetArrayLength() == 0)
        {
            return;
        }
        var tool = agent.PreTools[0];
        var started = time.GetTimestamp();
        // The flat generation names the function alone.
        var rules = tool.ValueKind == JsonValueKind.Object ? JsonObject.Create(tool)! : [];
        if (rules.Flag("status") == false)
        {
            return;
        }
        switch (rules.Name("type") ?? "custom_function")
        {
            case "custom_function" when agent.PreFunction is { } function:
                var arguments = rules.Object("args") ?? (run.Plan.Stored("pre_tools_data") as JsonObject).Object("args");
                var outcome = await tools.CallAsync(function, Filled(arguments, run.Variables), ct);
                run.Variables.Set(Result, outcome.IsError
                    ? $"Error while calling prefunction. Error message: {outcome.Response.AsWords()}"
                    : outcome.Response?.DeepClone());
                break;
            case "query_refiner":
                await RefineAsync(run, ct);
                break;
            case "gtwy_web_search":
                var page = await crawler.ReadAsync(Filled(rules.Object("args") ?? rules.Object("config"), run.Variables), run, ct);
                run.Variables.Set(
                    Result, page.IsError ? new JsonObject { ["error"] = page.Response?.DeepClone() } : page.Response?.DeepClone());
                break;
            case { } missing:
                run.Variables.Set(Result, new JsonObject { ["error"] = $"{missing} is not configured" });
                break;
        }
        run.Clock.PreToolTime = time.GetElapsedTime(started).TotalSeconds;
    }

    /// <summary>The arguments with the run's variables in the place of <c>{{name}}</c>.</summary>
    public static JsonObject Filled(JsonObject? arguments, Variables variables)
    {
        var filled = new JsonObject();
        foreach (var (name, value) in arguments ?? [])
        {
            filled[name] = value.AsText() is { } text ? Interpolation.Apply(text, variables.Find) : value?.DeepClone();
        }
        return filled;
    }

    private async Task RefineAsync(Run run, CancellationToken ct)
    {
        var before =
            string.Join('\n', run.Past.Exchanges.TakeLast(3).Select(exchange => $"User: {exchange.User}\nAssistant: {exchange.Answer}"));
        try
        {
            var refined =
                await agents.AskAsync(run, BuiltInAgents.RefinePrompt, $"{before}\n\nThe message: {run.User}", wantsJson: false, ct);
            run.User = refined.Length > 0 ? refined : run.User;
        }
        catch (Failure)
        {
            // The question as it was asked will do.
        }
    }
}
