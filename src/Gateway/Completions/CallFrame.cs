using Microsoft.AspNetCore.Http;

namespace Stoa.Gateway.Completions;

/// <summary>
/// What stands around the answer to a call that was admitted: what it may cost is held back, another target is asked where one has failed,
/// its end is recorded, and its place among its key's calls is given back.
/// </summary>
internal sealed class CallFrame(CallGate gate, CallTargets targets, CallBudget budget, CallMeter meter)
{
    /// <param name="maxOutput">The longest answer that the request asks for; 0 when it does not say.</param>
    /// <param name="ask">Asks the call's target and answers the client; once more for each target that the call is turned to.</param>
    public Task RunAsync(HttpContext context, GatewayCall call, long maxOutput, Func<Task> ask) =>
        RecordAsync(context, call, () => AskAsync(context, call, maxOutput, ask));

    /// <summary>For an answer that may cost nothing, and asks by itself (<see cref="AskAsync"/>) when it does.</summary>
    public async Task RecordAsync(HttpContext context, GatewayCall call, Func<Task> answer)
    {
        try
        {
            targets.Prepare(call);
            await answer();
        }
        catch (Exception thrown)
        {
            meter.BrokenOff(context, call, call.Route?.Explain(thrown) ?? thrown);
        }
        finally
        {
            gate.Leave(call.Key);
        }
    }

    /// <inheritdoc cref="RunAsync"/>
    public async Task AskAsync(HttpContext context, GatewayCall call, long maxOutput, Func<Task> ask)
    {
        await budget.ReserveAsync(call, maxOutput, context.RequestAborted);
        while (true)
        {
            try
            {
                await ask();
                return;
            }
            catch (Exception thrown) when (targets.MayGoOn(context, call, thrown))
            {
                targets.GoOn(context, call, thrown);
            }
        }
    }
}
