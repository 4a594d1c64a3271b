using System.Text;
using Microsoft.AspNetCore.Http;
using Stoa.Gateway.Chat;
using Stoa.Gateway.Dialects.OpenAi;
using Stoa.Gateway.ProviderKeys;
using Stoa.Gateway.Providers;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;

namespace Stoa.Gateway.Completions;

/// <summary>What another module wants of a model.</summary>
/// <param name="Operation">As GenAI metrics name it: <c>chat</c>, <c>embeddings</c>.</param>
/// <param name="Input">Tokens, as far as they can be guessed, like <paramref name="Output"/>.</param>
internal sealed record ModuleCall(
    Guid OrganizationId, string Model, string Purpose, string Operation, string RequestId, bool IsStream, long Input, int Output);

/// <summary>
/// Calls of other modules, by the parts that a client's call is made of, from the admission to the record. An organization's own key goes
/// before the operator's.
/// </summary>
internal sealed class ModuleCalls(
    CallGate gate, CallTargets targets, CallBudget budget, CallMeter meter, StoredKeys keys, TimeProvider time)
{
    public bool Knows(Guid organizationId, string model) => Find(organizationId, model) is not null;

    /// <summary>Null where a call for this model would find none.</summary>
    public ModelTarget? Find(Guid organizationId, string model) => model.Length > 0 ? targets.Known(KeyOf(organizationId), model) : null;

    /// <param name="answer">Asks the call's target, once for each target that is tried, and notes the usage.</param>
    public async Task<T> RunAsync<T>(ModuleCall wanted, Func<GatewayCall, Task<T>> answer, CancellationToken ct)
    {
        T made = default!;
        // Providers' sockets continue on the event thread, and what the caller does with an answer has no place there.
        await EventThread.RunOnPool(async () => made = await AnswerAsync(wanted, answer, ct));
        return made;
    }

    private async Task<T> AnswerAsync<T>(ModuleCall wanted, Func<GatewayCall, Task<T>> answer, CancellationToken ct)
    {
        var started = time.GetTimestamp();
        var key = KeyOf(wanted.OrganizationId);
        // What asks for a request's context is given one that nobody answers.
        var context = new DefaultHttpContext { RequestAborted = ct, TraceIdentifier = wanted.RequestId };
        var target = targets.Find(key, Encoding.UTF8.GetBytes(wanted.Model), wishes: null);
        var route = targets.RouteOf(key, target, wishes: null);
        var admission = await gate.AdmitAsync(context, LimitHeaders.OpenAi, key, wanted.Input + wanted.Output);
        var call = new GatewayCall(
            SurfaceOf(wanted), key, route?.First ?? target, RequestOutline.Of(wanted.IsStream, wanted.Input),
            admission, wanted.RequestId, started) { Route = route };
        try
        {
            targets.Prepare(call);
            GiveOwnKey(call);
            await budget.ReserveAsync(call, wanted.Output, ct);
            while (true)
            {
                try
                {
                    return await answer(call);
                }
                catch (Exception thrown) when (call.AnswerEvents == 0 && targets.MayGoOn(context, call, thrown))
                {
                    var isOwn = call.ProviderKeyId.Length > 0;
                    targets.GoOn(context, call, thrown);
                    GiveOwnKey(call);
                    if (isOwn && call.ProviderKeyId.Length == 0)
                    {
                        // What was held is not held of the budget for the installation's keys.
                        await call.Reservation.DisposeAsync();
                        await budget.ReserveAsync(call, wanted.Output, ct);
                    }
                }
            }
        }
        catch (Exception thrown)
        {
            meter.BrokenOff(context, call, call.Route?.Explain(thrown) ?? thrown);
            throw;
        }
        finally
        {
            gate.Leave(key);
        }
    }

    private void GiveOwnKey(GatewayCall call)
    {
        if (call.Target.Provider is { Client: not null, Kind: { IsPublic: true } kind }
            && keys.Find(call.Key.OrganizationId, kind) is { } own)
        {
            (call.ProviderKey, call.ProviderKeyId) = (own.Secret, own.Id);
        }
    }

    // As its canonical terms are OpenAI's, so are the words in which it is recorded.
    private static Surface SurfaceOf(ModuleCall call) =>
        new(call.Purpose, call.Operation, Dialect.OpenAi, _ => OpenAiDialect.Instance,
            OpenAiRaw.Instance, OpenAiErrors.Instance, LimitHeaders.OpenAi);

    /// <summary>No key of anybody's: the module that asks has seen to it who may.</summary>
    private static ApiKey KeyOf(Guid organizationId) => new(
        Guid.Empty, organizationId, Name: "", Prefix: "", Hash: default,
        IsAdmin: false, Models: null, Providers: null, RequestsPerMinute: null,
        TokensPerMinute: null, ExpiresAt: null);
}
