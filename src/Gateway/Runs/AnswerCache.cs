using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Options;
using Stoa.Gateway.Cache;
using Stoa.Gateway.Chat;
using Stoa.Gateway.Runs.Requests;
using Stoa.Gateway.RunTools;

namespace Stoa.Gateway.Runs;

/// <summary>What a caller wishes of the response cache.</summary>
internal sealed record CacheWish(bool IsOff, TimeSpan? TimeToLive)
{
    public static readonly CacheWish None = new(IsOff: false, TimeToLive: null);
}

/// <summary>
/// Gives the answer to exactly the same question of the same organization again, where the agent wants that (<c>cache_on</c>) or its model
/// is asked for the most likely answer. Answers that tools had a part in, or that did not end by themselves, are asked for anew.
/// </summary>
internal sealed class AnswerCache(ResponseCache cache, RunMeter meter, IOptions<GatewayOptions> options)
{
    /// <summary>Answers the run from the cache, or by <paramref name="ask"/>.</summary>
    /// <returns>What <paramref name="ask"/> returns.</returns>
    public async Task<AgentTransfer?> AnswerAsync(
        Run run, ToolSet tools, IRunSink sink, Func<CancellationToken, Task<AgentTransfer?>> ask, CancellationToken ct)
    {
        if (!IsWanted(run))
        {
            run.CacheUse = "bypass";
            return await ask(ct);
        }
        run.CacheUse = "miss";
        AgentTransfer? transfer = null;
        var found = await cache.GetOrRunAsync(
            KeyOf(run, tools), run.Request.Cache.TimeToLive ?? TimeSpan.FromSeconds(options.Value.CacheTtlSeconds), RunAsync, ct);
        if (found is not null)
        {
            await RepeatAsync(run, found, sink, ct);
        }
        return transfer;

        async Task<CachedAnswer?> RunAsync(CancellationToken ct)
        {
            transfer = await ask(ct);
            return transfer is null && run.Rounds.Count == 0 && !run.IsFallback
                && run.FinishReason is FinishReason.Stop or FinishReason.StopSequence
                ? new(AnswerOf(run), run.Usage)
                : null;
        }
    }

    private static bool IsWanted(Run run) => !run.Request.Cache.IsOff && run.Input.Body["files"] is null && !DrawnPictures.AreWanted(run)
        && (run.Plan.Configured("cache_on") ?? run.Plan.Stored("cache_on")) switch
        {
            JsonValue wish when wish.TryGetValue<bool>(out var isOn) => isOn,
            _ => run.Plan.Parameters(run.Choice)["creativity_level"].AsNumber() == 0,
        };

    private async Task RepeatAsync(Run run, CachedAnswer found, IRunSink sink, CancellationToken ct)
    {
        var answer = (JsonObject)JsonNode.Parse(found.Body.Span)!;
        run.CacheUse = "hit";
        run.IsCached = true;
        run.Content = answer.Text("content") ?? "";
        run.Reasoning = answer.Text("reasoning") ?? "";
        run.Annotations = answer.List("annotations")?.DeepClone() as JsonArray ?? [];
        run.AnswerId = answer.Text("id") ?? "";
        run.AnswerModel = answer.Text("model") ?? "";
        meter.Received(run, found.Usage);
        await sink.TellAsync(
            new RunStep.Start(run.Choice.Model, run.Choice.Service.Name, run.Plan.AgentId, run.Request.MessageId), ct);
        if (sink.IsStream)
        {
            run.HasTold = true;
            await sink.TellAsync(new RunStep.Delta(run.Content), ct);
        }
    }

    private static byte[] AnswerOf(Run run) => Encoding.UTF8.GetBytes(new JsonObject
    {
        ["content"] = run.Content,
        ["reasoning"] = run.Reasoning,
        ["annotations"] = run.Annotations.DeepClone(),
        ["id"] = run.AnswerId,
        ["model"] = run.AnswerModel,
    }.Compact());

    /// <summary>Everything that the answer follows from. The time of day is part of it only where the prompt asks for it.</summary>
    private static CacheKey KeyOf(Run run, ToolSet tools)
    {
        var request = RequestWriting.For(run, tools);
        var question = new JsonObject
        {
            ["asked"] = JsonNode.Parse(run.Asked.Span),
            ["system"] = run.TimelessSystemText,
            ["schema"] = request.Format?.Schema?.GetRawText(),
            ["choice"] = request.ToolChoice is { } choice ? $"{choice.Mode} {choice.Name}" : null,
            ["tools"] = new JsonArray(
                [.. tools.Definitions.Select(tool => (JsonNode)$"{tool.Name}\n{tool.Description}\n{tool.Schema?.GetRawText()}")]),
            ["turns"] = new JsonArray(
                [.. request.Turns.Select(turn => (JsonNode)$"{turn.Role}\n{string.Join('\n', turn.Parts.Select(WordsOf))}")]),
        };
        return CacheKey.Of(run.Request.OrganizationId, "agent", Encoding.UTF8.GetBytes(question.Compact()));
    }

    private static string WordsOf(Part part) => part switch
    {
        Part.Text text => text.Value,
        Part.Image { Media: Media.Bytes bytes } => Hash(bytes.Base64),
        Part.File { Media: Media.Bytes bytes } => Hash(bytes.Base64),
        Part.ToolResult result => $"{result.Id} {string.Concat(result.Parts.Select(WordsOf))}",
        _ => part.ToString(),
    };

    private static string Hash(string content) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(content)));
}
