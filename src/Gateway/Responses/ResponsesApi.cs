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
using Stoa.Platform.Http;

namespace Stoa.Gateway.Responses;

/// <summary>OpenAI's Responses API: a call like a chat's, whose answer is kept so that the next one can go on from it.</summary>
internal sealed class ResponsesApi(
    CallGate gate, CallTargets targets, CallBudget budget, RawForward forward, Translation translation, CallMeter meter, ResponseStore responses,
    TimeProvider time)
{
    public static readonly Surface Surface = new(
        "openai.responses", "chat", Dialect.OpenAiResponses, _ => ResponsesDialect.Instance, ResponsesRaw.Instance, OpenAiErrors.Instance,
        LimitHeaders.OpenAi);

    public static void Map(IEndpointRouteBuilder routes) => routes
        .MapPost("/responses", (HttpContext context, ResponsesApi responses) => responses.CreateAsync(context))
        .WithTags("Responses").WithSummary("Answer a conversation, in the words of OpenAI's Responses API")
        .Accepts<ResponseSchema.Request>("application/json");

    /// <summary>Readers of JSON take 64 levels, and what is kept is put into something else before it is read again.</summary>
    private const int MaxDepth = 56;

    /// <summary>The same way as a chat's (<see cref="ChatApi"/>); not on the event thread, as most answers are kept in the database.</summary>
    public async Task CreateAsync(HttpContext context)
    {
        var started = time.GetTimestamp();
        var key = gate.Authenticate(context.Request);
        using var sent = await RequestBody.ReadAsync(context.Request);
        var outline = RequestOutline.Read(sent.Span);
        var wish = ResponseWish.Read(sent.Span, outline.IsStream);
        // What is made later goes where the model's name alone leads: a client's key is for its call and kept nowhere.
        var wishes = wish.Background ? null : CallWishes.Of(context.Request);
        var target = targets.Find(key, outline.ModelName(sent.Span), wishes);
        var route = wish.Background ? null : targets.RouteOf(key, target, wishes);
        target = route?.First ?? target;

        var previous = wish.PreviousId is { } id ? await PreviousAsync(key.OrganizationId, id, context.RequestAborted) : null;
        var input = InputOf(sent.Memory, previous, wish);
        var endpoint = ProviderEndpoint.Of(target.Provider, Surface.Dialect, context.Request);
        var joined = Join(sent.Memory, previous, input, target, endpoint, wish);
        try
        {
            if (wish.Background)
            {
                var queued = new StoredResponse(
                    key.OrganizationId, AnswerIds.New("resp_"), "queued", target.Provider.Name, IsUpstream: false, default, input);
                await StartAsync(context, queued, key, joined ?? sent);
                return;
            }
            outline = joined is null ? outline : RequestOutline.Read(joined.Span);
            var admission = await gate.AdmitAsync(context, Surface.Limits, key, outline.EstimatedInput + outline.MaxOutput);
            GatewayCall? call = null;
            call = new(Surface, key, target, outline, admission, context.RequestId(), started)
            {
                Endpoint = endpoint, Route = route, Wishes = wishes, Keep = wish.Store ? KeepAsync : null,
            };
            targets.Prepare(call);
            try
            {
                await budget.ReserveAsync(call, outline.MaxOutput, context.RequestAborted);
                while (!await AnsweredAsync(context, call, joined ?? sent))
                {
                    joined?.Dispose();
                    joined = Join(sent.Memory, previous, input, call.Target, call.Endpoint, wish);
                }
            }
            catch (Exception thrown)
            {
                meter.BrokenOff(context, call, call.Route?.Explain(thrown) ?? thrown);
            }
            finally
            {
                gate.Leave(key);
            }

            Task KeepAsync(ReadOnlyMemory<byte> answer) => responses.AddAsync(
                StoredResponse.Of(answer, key.OrganizationId, call!.Target.Provider.Name, call.Endpoint == Surface.Dialect, input),
                context.RequestAborted);
        }
        finally
        {
            joined?.Dispose();
        }
    }

    /// <summary>False when another target is to answer: the call has been turned to it.</summary>
    private async Task<bool> AnsweredAsync(HttpContext context, GatewayCall call, PooledBytes body)
    {
        try
        {
            await (call.Endpoint == Surface.Dialect
                ? forward.AnswerAsync(context, call, body, RequestOutline.Read(body.Span))
                : translation.AnswerAsync(context, call, body));
            return true;
        }
        catch (Exception thrown) when (targets.MayGoOn(context, call, thrown))
        {
            targets.GoOn(context, call, thrown);
            return false;
        }
    }

    private async Task<StoredResponse> PreviousAsync(Guid organizationId, string id, CancellationToken ct) =>
        await responses.FindAsync(organizationId, id, ct) switch
        {
            null => throw Failure.Invalid($"Previous response with id '{id}' not found.", "previous_response_id", "previous_response_not_found"),
            { IsUnderWay: true } => throw Failure.Invalid($"The response '{id}' is not finished.", "previous_response_id", "response_not_finished"),
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
    private async Task StartAsync(HttpContext context, StoredResponse response, Platform.Identity.ApiKey key, PooledBytes body)
    {
        var request = ResponsesDialect.Instance.ReadRequest(body.Memory);
        using var output = new PooledBytes(2_048);
        var json = JsonOutput.Open(output);
        ResponsesObject.Write(
            json, request, new(response.Id, time.GetUtcNow().ToUnixTimeSeconds()), request.Model, new("queued"), 0, static (_, _) => { },
            usage: null);
        JsonOutput.Close(json);
        await responses.AddAsync(response with { Response = output.Span.ToArray() }, body.Span.ToArray(), key, context.RequestAborted);
        await JsonAnswer.SendAsync(context, output);
    }
}
