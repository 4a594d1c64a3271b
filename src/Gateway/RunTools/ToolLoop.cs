using System.Text.Json.Nodes;
using Stoa.Gateway.Chat;
using Stoa.Gateway.Runs;
using Stoa.Platform.Telemetry;

namespace Stoa.Gateway.RunTools;

/// <summary>Runs the calls of one round side by side, and gives their results in the order of the calls.</summary>
internal sealed class ToolLoop(TimeProvider time)
{
    /// <summary>Calls of one run that are under way at a time.</summary>
    private const int MaxParallel = 16;

    /// <summary>Different calls of one round; a model that wants more is out of its mind.</summary>
    private const int MaxCalls = 128;

    public async Task<IReadOnlyList<ToolRecord>> CallAsync(
        IReadOnlyList<Part.ToolCall> calls, ToolSet tools, Run run, IRunSink sink, CancellationToken ct)
    {
        foreach (var call in calls)
        {
            await sink.TellAsync(new RunStep.ToolCall(call.Name, call.Arguments, call.Id), ct);
        }
        using var turns = new SemaphoreSlim(MaxParallel);
        // Asked twice for the same, a tool with an effect would have it twice.
        var distinct = new Dictionary<(string, string), Task<ToolRecord>>();
        foreach (var call in calls.DistinctBy(call => (call.Name, call.Arguments)))
        {
            distinct[(call.Name, call.Arguments)] = distinct.Count < MaxCalls
                ? CallAsync(call, tools, run, turns, ct)
                : Task.FromResult(
                    new ToolRecord(call.Id, call.Name, null, ToolOutcome.Failed($"Only {MaxCalls} calls can be made at once"), null, 0));
        }
        await Task.WhenAll(distinct.Values);
        var records = new List<ToolRecord>(calls.Count);
        foreach (var call in calls)
        {
            var record = await distinct[(call.Name, call.Arguments)] with { CallId = call.Id };
            records.Add(record);
            if (record.Outcome.Plan is { } plan)
            {
                await sink.TellAsync(new RunStep.Planning(plan), ct);
            }
            await sink.TellAsync(new RunStep.ToolResult(call.Name, record.Outcome.Words, call.Id), ct);
        }
        return records;
    }

    private async Task<ToolRecord> CallAsync(Part.ToolCall call, ToolSet tools, Run run, SemaphoreSlim turns, CancellationToken ct)
    {
        if (tools.Find(call.Name) is not { } tool)
        {
            return new(call.Id, call.Name, null, ToolOutcome.Failed("Wrong Function name"), null, 0);
        }
        var text = string.IsNullOrWhiteSpace(call.Arguments) ? "{}" : call.Arguments;
        if (!JsonFields.TryParse(text, out var json) || json is not JsonObject arguments)
        {
            return new(call.Id, call.Name, call.Arguments, ToolOutcome.Failed("Args / Input is not proper JSON"), tool.Id, 0);
        }
        ArgumentInjection.Apply(arguments, tool.Injected);
        await turns.WaitAsync(ct);
        var started = time.GetTimestamp();
        using var span = Signals.Spans.StartActivity($"execute_tool {tool.Name}");
        try
        {
            var outcome = await tool.CallAsync(arguments, run, ct);
            return new(call.Id, call.Name, arguments, outcome, tool.Id, time.GetElapsedTime(started).TotalSeconds);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            run.Note(exception);
            return new(
                call.Id, call.Name, arguments, ToolOutcome.Failed("The tool could not be called"), tool.Id,
                time.GetElapsedTime(started).TotalSeconds);
        }
        finally
        {
            turns.Release();
        }
    }
}
