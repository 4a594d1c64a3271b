using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Configuration;
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

        Assert.Equal((Health.Warn, $"{ours} is used by a host that is up"), Of(await Checks.PortAsync(ours, Patience.Long, Ct)));
        Assert.Equal((Health.Fail, $"{theirs} cannot be used (AddressAlreadyInUse)"),
            Of(await Checks.PortAsync(theirs, TimeSpan.FromSeconds(1), Ct)));
    }

    [Theory]
    [InlineData("openai", null, null, "Warn", "openai, without a key: only organizations that bring one of their own are answered")]
    [InlineData("openai", null, "sk-1", "Ok", "openai, with a key")]
    [InlineData("ollama", null, null, "Ok", "ollama")]
    [InlineData("openai_compatible", "http://models.example.org/v1", null, "Ok", "openai_compatible at models.example.org")]
    [InlineData("openai", "models.example.org", "sk-1", "Fail", "its base address is not a web address")]
    public void A_provider_that_nobody_is_answered_by_is_named(string kind, string? address, string? key, string health, string found)
    {
        var settings = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Gateway:Providers:main:Kind"] = kind, ["Gateway:Providers:main:BaseUrl"] = address, ["Gateway:Providers:main:ApiKey"] = key,
        }).Build();

        var (state, said) = Of(Assert.Single(Checks.Providers(settings)));

        Assert.Equal((health, found), ($"{state}", said));
    }

    [Fact]
    public void That_no_provider_is_set_up_is_said()
    {
        var finding = Assert.Single(Checks.Providers(new ConfigurationBuilder().Build()));

        Assert.Equal((Health.Warn, "none: outside Development no model answers"), Of(finding));
        Assert.Contains("Gateway__Providers__", finding.Mend, StringComparison.Ordinal);
    }

    private static (Health Health, string Found) Of(Finding finding) => (finding.Health, finding.Found);
}
