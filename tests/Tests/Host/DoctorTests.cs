using System.Net;
using System.Net.Sockets;
using Stoa.Host.Verbs;
using Stoa.Tests.Support;

namespace Stoa.Tests.Host;

public sealed class DoctorTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_address_that_a_host_serves_is_no_fault_and_one_that_a_stranger_has_is()
    {
        await using var host = await HostUnderTest.StartAsync();
        using var stranger = new TcpListener(IPAddress.Loopback, 0);
        stranger.Start();
        var (ours, theirs) = (host.Client.BaseAddress!.ToString(), $"http://{stranger.LocalEndpoint}");

        Assert.Equal((Health.Warn, $"{ours} is used by a host that is up"), Of(await Checks.PortAsync(ours, Ct)));
        Assert.Equal((Health.Fail, $"{theirs} cannot be used (AddressAlreadyInUse)"), Of(await Checks.PortAsync(theirs, Ct)));
    }

    private static (Health Health, string Found) Of(Finding finding) => (finding.Health, finding.Found);
}
