namespace Stoa.Gateway.Budgets;

/// <summary>
/// What is held back for one call to a provider. The usage record of the call must have its <see cref="CallId"/>; by it the loader
/// finds what to give back when it counts what the call did cost. That happens once, also when this process dies in between.
/// </summary>
internal sealed class Reservation(BudgetStore? store, Guid callId) : IAsyncDisposable
{
    public static readonly Reservation None = new(store: null, Guid.Empty);

    private bool isRecorded;

    /// <summary>Empty when nothing is held: then the usage record may have any id.</summary>
    public Guid CallId => callId;

    /// <summary>The call's usage is in the spool: from here on the reservation is the loader's.</summary>
    public void Recorded() => isRecorded = true;

    /// <summary>Gives back what is held for a call that never reached a provider.</summary>
    public async ValueTask DisposeAsync()
    {
        if (store is not null && !isRecorded)
        {
            isRecorded = true;
            await store.ReleaseAsync(callId);
        }
    }
}
