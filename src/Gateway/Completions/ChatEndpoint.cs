using Microsoft.AspNetCore.Http;
using Stoa.Gateway.Providers;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Completions;

/// <summary>
/// A chat call from its arrival to its record: who calls, what model, may they, then one of two ways to an answer. Where client and
/// provider speak the same dialect the bytes are forwarded, else they are translated.
/// </summary>
internal sealed class ChatEndpoint(
    Surface surface, CallGate gate, CallMeter meter, RawForward forward, Translation translation, TimeProvider time)
{
    public async Task HandleAsync(HttpContext context)
    {
        var started = time.GetTimestamp();
        var key = gate.Authenticate(context.Request);
        using var body = await RequestBody.ReadAsync(context.Request);
        var outline = RequestOutline.Read(body.Span);
        var target = gate.Target(key, outline.ModelName(body.Span));
        var estimate = body.Length / 4;
        var (requests, tokens, reserved) = await gate.AdmitAsync(key, estimate + outline.MaxOutput, context.RequestAborted);
        var call = new GatewayCall(surface, key, target, context.RequestId(), started)
        {
            IsStream = outline.IsStream,
            EstimatedInput = estimate,
            ReservedTokens = reserved,
            RequestLimit = requests,
            TokenLimit = tokens,
        };
        try
        {
            await (target.Provider.Kind.Wire == surface.Wire.Kind
                ? forward.AnswerAsync(context, call, body, outline)
                : translation.AnswerAsync(context, call, body));
        }
        catch (Exception) when (context.RequestAborted.IsCancellationRequested)
        {
            meter.Cancelled(call);
        }
        catch (Exception thrown)
        {
            var failure = ProviderFaults.Of(thrown);
            meter.Failed(call, failure, surface.Errors.StatusOf(failure));
            if (!context.Response.HasStarted)
            {
                AnswerHeaders.Write(context.Response, call, time);
            }
            throw;
        }
        finally
        {
            gate.Leave(key);
        }
    }
}
