namespace Stoa.Tests.Wires;

/// <summary>One <see cref="WireSite"/> for all tests of a class.</summary>
public sealed class WireHost : IAsyncLifetime
{
    internal WireSite Site { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Site = await WireSite.StartAsync();

    public ValueTask DisposeAsync() => Site.DisposeAsync();
}
