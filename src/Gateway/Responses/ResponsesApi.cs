using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Chat;
using Stoa.Gateway.Completions;
using Stoa.Gateway.Dialects;
using Stoa.Gateway.Dialects.OpenAi;
using Stoa.Gateway.Dialects.OpenAiResponses;
using Stoa.Gateway.Providers;
using Stoa.Gateway.Runs;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Responses;

/// <summary>OpenAI's Responses API: a call like a chat's, whose answer is kept so that the next one can go on from it.</summary>
internal sealed class ResponsesApi(
    CallGate gate, CallTargets targets, CallFrame frame, RawForward forward,
    Translation translation, ResponseStore responses, AgentCompletions agents, TimeProvider time)
{
    public static readonly Surface Surface = new(
        "openai.responses", "chat", Dialect.OpenAiResponses, _ => ResponsesDialect.Instance, ResponsesRaw.Instance, OpenAiErrors.Instance,
        LimitHeaders.OpenAi);

    public static void Map(IEndpointRouteBuilder routes) => routes
        .MapPost("/responses", (HttpContext context, ResponsesApi responses) => responses.CreateAsync(context))
        .WithTags("Responses").WithSummary("Answer a conversation, in the words of OpenAI's Responses API")
        .Accepts<ResponseSchema.Request>("application/json");

    private const string AgentProvider = "agent";

    /// <summary>Readers of JSON take 64 levels, and what is kept is put into something else before it is read again.</summary>
    private const int MaxDepth = 56;

    /// <summary>
    /// The same way as a chat's (<see cref="ChatApi"/>); not on the event thread, as most answers are kept in the database.
    /// </summary>
    public async Task CreateAsync(HttpContext context)
    {
        var started = time.GetTimestamp();
        var key = gate.Authenticate(context.Request);
        using var sent = await RequestBody.ReadAsync(context.Request);
        var outline = RequestOutline.Read(sent.Span);
        var wish = ResponseWish.Read(sent.Span, outline.IsStream);
        if (AgentCompletions.IsAgent(outline.ModelName(sent.Span)))
        {
            await AnswerAgentAsync(context, key, sent, outline, wish);
            return;
        }
        var wishes = CallWishes.Of(context.Request);
        var target = targets.Find(key, outline.ModelName(sent.Span), wishes);
        var route = targets.RouteOf(key, target, wishes);
        target = route?.First ?? target;

        var previous = wish.PreviousId is { } id ? await PreviousAsync(key.OrganizationId, id, context.RequestAborted) : null;
        var input = InputOf(sent.Memory, previous, wish);
        var endpoint = ProviderEndpoint.Of(target.Provider, Surface.Dialect, context.Request);
        var joined = Join(sent.Memory, previous, input, target, endpoint, wish);
        try
        {
            if (wish.Background)
            {
                await StartAsync(context, target.Provider.Name, input, key, joined ?? sent);
                return;
            }
            outline = joined is null ? outline : RequestOutline.Read(joined.Span);
            var admission = await gate.AdmitAsync(context, Surface.Limits, key, outline.EstimatedInput + outline.MaxOutput);
            GatewayCall? call = null;
            call = new(Surface, key, target, outline, admission, context.RequestId(), started)
            {
                Endpoint = endpoint, Route = route, Wishes = wishes, Keep = wish.Store ? KeepAsync : null,
            };
            await frame.RunAsync(context, call, outline.MaxOutput, () =>
            {
                // Each target gets what it does not know yet, in the dialect that it is asked in.
                if (call.Target != target)
                {
                    joined?.Dispose();
                    joined = Join(sent.Memory, previous, input, call.Target, call.Endpoint, wish);
                }
                return AnswerAsync(context, call, joined ?? sent);
            });

            Task KeepAsync(ReadOnlyMemory<byte> answer) => responses.AddAsync(
                StoredResponse.Of(answer, key.OrganizationId, call!.Target.Provider.Name, call.Endpoint == Surface.Dialect, input),
                context.RequestAborted);
        }
        finally
        {
            joined?.Dispose();
        }
    }

    private async Task AnswerAgentAsync(
        HttpContext context, Platform.Identity.ApiKey key, PooledBytes sent, RequestOutline outline, ResponseWish wish)
    {
        if (wish.Background)
        {
            await agents.CheckAsync(key, System.Text.Encoding.UTF8.GetString(outline.ModelName(sent.Span)), context.RequestAborted);
        }
        using var agent = await OpenAsync(key.OrganizationId, sent, wish, context.RequestAborted);
        if (wish.Background)
        {
            await StartAsync(context, AgentProvider, agent.Input, key, agent.Body);
            return;
        }
        await agents.AnswerAsync(context, Surface, key, agent.Body, outline.EstimatedInput + outline.MaxOutput, agent.Keep);
    }

    /// <summary>What an agent is to be asked, and how its answer is kept.</summary>
    internal async Task<AgentAsk> OpenAsync(Guid organizationId, PooledBytes sent, ResponseWish wish, CancellationToken ct)
    {
        var previous = wish.PreviousId is { } id ? await PreviousAsync(organizationId, id, ct) : null;
        var input = InputOf(sent.Memory, previous, wish);
        var body = sent;
        if (previous is not null)
        {
            using var document = JsonBody.Open(sent.Memory);
            body = new PooledBytes(sent.Length + input.Length);
            ResponseInput.WriteJoined(document.RootElement, input, isForwarded: false, body);
        }
        return new(body, IsOwn: previous is not null, input, !wish.Store ? null : answer => responses.AddAsync(
            StoredResponse.Of(answer, organizationId, AgentProvider, isUpstream: false, input), ct));
    }

    /// <param name="IsOwn">The body is not the one that was sent.</param>
    internal sealed record AgentAsk(PooledBytes Body, bool IsOwn, byte[] Input, Func<ReadOnlyMemory<byte>, Task>? Keep) : IDisposable
    {
        public void Dispose()
        {
            if (IsOwn)
            {
                Body.Dispose();
            }
        }
    }

    private Task AnswerAsync(HttpContext context, GatewayCall call, PooledBytes body) => call.Endpoint == Surface.Dialect
        ? forward.AnswerAsync(context, call, body, RequestOutline.Read(body.Span))
        : translation.AnswerAsync(context, call, body);

    private async Task<StoredResponse> PreviousAsync(Guid organizationId, string id, CancellationToken ct) =>
        await responses.FindAsync(organizationId, id, ct) switch
        {
            null => throw Failure.Invalid(
                $"Previous response with id '{id}' not found.", "previous_response_id", "previous_response_not_found"),
            { IsUnderWay: true } =>
                throw Failure.Invalid($"The response '{id}' is not finished.", "previous_response_id", "response_not_finished"),
            var found => found,
        };

    /// <summary>What is to be kept as the response's input; empty when nothing is kept or gone on from.</summary>
    private static byte[] InputOf(ReadOnlyMemory<byte> body, StoredResponse? previous, ResponseWish wish)
    {
        if (previous is null && !wish.Store)
        {
            return [];
        }
        using var document = JsonBody.Open(body);
        if (IsDeeper(body.Span))
        {
            throw Failure.Invalid(
                $"A response that is kept may be asked for with at most {MaxDepth} levels: send store: false, or less", code: "too_deep");
        }
        return ResponseInput.Normalize(document.RootElement.Member("input"), previous is null ? default : ResponseInput.ItemsOf(previous));
    }

    /// <summary>The body with what it goes on from put in, or null when it can go out as it came.</summary>
    private static PooledBytes? Join(
        ReadOnlyMemory<byte> body, StoredResponse? previous, byte[] input, ModelTarget target, Dialect? endpoint, ResponseWish wish)
    {
        var isForwarded = endpoint == Dialect.OpenAiResponses;
        var isKnownThere = isForwarded && previous is { IsUpstream: true } && previous.Provider == target.Provider.Name && !wish.Background;
        if (previous is null || isKnownThere)
        {
            return null;
        }
        using var document = JsonBody.Open(body);
        var joined = new PooledBytes(body.Length + input.Length);
        ResponseInput.WriteJoined(document.RootElement, input, isForwarded, joined);
        return joined;
    }

    private static bool IsDeeper(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        while (reader.Read())
        {
            if (reader.CurrentDepth >= MaxDepth)
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>Kept with the job that will make it, then answered.</summary>
    private async Task StartAsync(HttpContext context, string provider, byte[] input, Platform.Identity.ApiKey key, PooledBytes body)
    {
        var response =
            new StoredResponse(key.OrganizationId, AnswerIds.New("resp_"), "queued", provider, IsUpstream: false, default, input);
        var request = ResponsesDialect.Instance.ReadRequest(body.Memory);
        using var output = new PooledBytes(2_048);
        var json = JsonOutput.Open(output);
        ResponsesObject.Write(
            json, request, new(response.Id, time.GetUtcNow().ToUnixTimeSeconds()), request.Model, new("queued"), 0, static (_, _) => { },
            usage: null);
        JsonOutput.Close(json);
        await responses.AddAsync(
            response with { Response = output.Span.ToArray() }, body.Span.ToArray(),
            CallWishes.HeadersOf(context.Request), key, context.RequestAborted);
        await JsonAnswer.SendAsync(context, output);
    }
}
