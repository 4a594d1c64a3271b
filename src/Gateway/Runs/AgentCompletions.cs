using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Chat;
using Stoa.Gateway.Completions;
using Stoa.Gateway.Dialects;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;
using Stoa.Platform.Limits;

namespace Stoa.Gateway.Runs;

/// <summary>
/// Answers model APIs whose <c>model</c> is an agent: <c>agent:{slug or id}[@version]</c>. The client's conversation is the agent's, unless
/// <c>metadata.thread_id</c> names one that is kept here.
/// </summary>
internal sealed class AgentCompletions(
    AgentRunner runner, RunPlans plans, CallGate gate, ILimits limits, IOptions<GatewayOptions> options, TimeProvider time)
{
    private const string Prefix = "agent:";

    public static bool IsAgent(ReadOnlySpan<byte> model) => model.StartsWith("agent:"u8);

    /// <summary>Whether the agent can be asked with this key.</summary>
    /// <exception cref="Failure">It cannot.</exception>
    public async Task CheckAsync(ApiKey key, string model, CancellationToken ct)
    {
        var run = RequestOf(new() { Model = model, Source = Dialect.OpenAi }, key.OrganizationId, RunCaller.Of(key), "");
        CallGate.Allow(key, (await plans.FindAsync(run, new(run.Body), ct)).Choice.Target);
    }

    /// <param name="keep">Keeps the finished answer before its end leaves: the whole body, or the last events of a stream.</param>
    public async Task AnswerAsync(
        HttpContext context, Surface surface, ApiKey key, PooledBytes body,
        long expectedTokens, Func<ReadOnlyMemory<byte>, Task>? keep = null)
    {
        var dialect = surface.DialectOf(context.Request);
        var request = dialect.ReadRequest(body.Memory);
        var run = RequestOf(request, key.OrganizationId, RunCaller.Of(key), context.RequestId());
        var plan = await plans.FindAsync(run, new(run.Body), context.RequestAborted);
        CallGate.Allow(key, plan.Choice.Target);
        var admission = await gate.AdmitAsync(context, surface.Limits, key, expectedTokens);
        long? used = 0;
        try
        {
            used = await AnswerAsync(context, dialect, run, plan, request, keep);
        }
        catch (OperationCanceledException)
        {
            used = null;
            throw;
        }
        finally
        {
            gate.Leave(key);
            if (admission.Tokens is { } reading)
            {
                // Of a client who left nobody knows it: what was reserved stays taken.
                limits.Settle(
                    new(key.Id, "tokens"), CallGate.Window, (used ?? admission.ReservedTokens) - admission.ReservedTokens, reading.TakenAt);
            }
        }
    }

    /// <summary>The run as an answer of the dialect, whole or streamed; the tokens that it took, null when the client has left.</summary>
    public async Task<long?> AnswerAsync(
        HttpContext context, IClientDialect dialect, RunRequest run,
        RunPlan plan, ChatRequest request, Func<ReadOnlyMemory<byte>, Task>? keep)
    {
        var head = new AnswerHead(AnswerIds.New(dialect.AnswerIdPrefix), time.GetUtcNow().ToUnixTimeSeconds(), context.RequestId());
        if (request.Stream)
        {
            return await StreamAsync(context, run, plan, request, dialect.OpenWriter(request, head), keep);
        }
        var result = await runner.RunAsync(run, plan, NoSink.Instance, context.RequestAborted);
        var answer = AnswerOf(result, request.Model);
        using var output = new PooledBytes(4_096);
        dialect.WriteAnswer(answer, request, head, output);
        await (keep?.Invoke(output.Memory) ?? Task.CompletedTask);
        context.Response.Headers["x-gtwy-cache"] = result.CacheUse;
        await JsonAnswer.SendAsync(context, output);
        return result.Usage.Total;
    }

    private async Task<long?> StreamAsync(
        HttpContext context, RunRequest run, RunPlan plan, ChatRequest request,
        IChatStreamWriter writer, Func<ReadOnlyMemory<byte>, Task>? keep)
    {
        await using var stream = new CompletionStream(context, writer, request.Model, options.Value.Timeouts, time) { Keep = keep };
        try
        {
            return (await runner.RunAsync(run, plan, stream, stream.Ended)).Usage.Total;
        }
        catch (Failure failure) when (stream.HasStarted)
        {
            await stream.FailAsync(failure);
        }
        catch (OperationCanceledException) when (stream.Ended.IsCancellationRequested)
        {
            // The run is logged.
            return null;
        }
        return 0;
    }

    /// <param name="request">Its model is <c>{slug or id}[@version]</c>, with or without <c>agent:</c> before it.</param>
    public RunRequest RequestOf(ChatRequest request, Guid organizationId, RunCaller caller, string requestId)
    {
        var model = request.Model.StartsWith(Prefix, StringComparison.Ordinal) ? request.Model[Prefix.Length..] : request.Model;
        var name = model.Split('@', 2);
        return new()
        {
            OrganizationId = organizationId,
            Caller = caller,
            Body = BodyOf(request),
            AgentId = name[0],
            VersionId = name.Length > 1 && name[1].Length > 0 ? name[1] : null,
            MessageId = Guid.CreateVersion7(time.GetUtcNow()).ToString(),
            RequestId = requestId,
        };
    }

    private static JsonObject BodyOf(ChatRequest request)
    {
        var last = request.Turns.Count - 1;
        while (last >= 0 && request.Turns[last].Role != TurnRole.User)
        {
            last--;
        }
        var user = last < 0 ? null : request.Turns[last];
        var configuration = new JsonObject();
        var thread = request.Metadata?.GetValueOrDefault("thread_id");
        if (string.IsNullOrEmpty(thread))
        {
            configuration["conversation"] = new JsonArray([
                .. request.System.Select(block => (JsonNode)Message("system", block.Text)),
                .. request.Turns.Take(Math.Max(0, last)).Select(turn => (JsonNode)Message(RoleOf(turn.Role), TextOf(turn.Parts)))]);
        }
        if (request.Sampling.Temperature is { } temperature)
        {
            configuration["creativity_level"] = temperature;
        }
        if (request.MaxOutput is { } most)
        {
            configuration["max_tokens"] = most;
        }
        var body = new JsonObject
        {
            ["user"] = user is null ? "" : TextOf(user.Parts),
            ["images"] = new JsonArray(
                [.. (user?.Parts ?? []).OfType<Part.Image>().Select(AddressOf).OfType<string>().Select(address => (JsonNode)address)]),
            ["configuration"] = configuration,
        };
        if (!string.IsNullOrEmpty(thread))
        {
            body["thread_id"] = thread;
            body["sub_thread_id"] = request.Metadata!.GetValueOrDefault("sub_thread_id");
        }
        if (request.Metadata?.GetValueOrDefault("variables") is { } variables
            && JsonFields.TryParse(variables, out var given) && given is JsonObject)
        {
            body["variables"] = given;
        }
        return body;
    }

    /// <exception cref="Failure">The run has failed: told in the words of the client's API.</exception>
    private static ChatAnswer AnswerOf(RunResult result, string model) => result.Failure is { } failure ? throw failure : new()
    {
        Id = "",
        Model = model,
        Choices = [new([new Part.Text(result.Content) { Citations = CitationsOf(result) }],
            result.IsSuccess ? ReasonOf(result) : FinishReason.ContentFilter)],
        Usage = result.Usage,
    };

    /// <summary>Of the whole content.</summary>
    public static IReadOnlyList<Citation> CitationsOf(RunResult result) =>
        [.. result.Annotations.Objects().Select(words => new Citation(words))];

    public static FinishReason ReasonOf(RunResult result) =>
        result.FinishReason == FinishReason.ToolCalls ? FinishReason.Stop : result.FinishReason;

    private static JsonObject Message(string role, string text) => new() { ["role"] = role, ["content"] = text };

    private static string RoleOf(TurnRole role) => role switch
    {
        TurnRole.User or TurnRole.Tool => "user",
        TurnRole.Assistant => "assistant",
        TurnRole.System => "system",
    };

    private static string TextOf(IReadOnlyList<Part> parts) =>
        parts is [Part.Text only] ? only.Value : string.Join('\n', parts.Select(part => part switch
    {
        Part.Text text => text.Value,
        Part.ToolResult result => TextOf(result.Parts),
        _ => "",
    }).Where(text => text.Length > 0));

    private static string? AddressOf(Part.Image image) => image.Media switch
    {
        Media.Url url => url.Address,
        Media.Bytes bytes => $"data:{bytes.MimeType};base64,{bytes.Base64}",
        _ => null,
    };
}
