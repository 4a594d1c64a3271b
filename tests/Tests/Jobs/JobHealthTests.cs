using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Platform.Jobs;
using Stoa.Tests.Support;

namespace Stoa.Tests.Jobs;

public sealed class JobHealthTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_kind_that_has_not_succeeded_in_its_time_is_told_inside_and_only_there()
    {
        await using var host = await HostUnderTest.StartAsync(add: builder =>
        {
            builder.Services.AddSingleton<Script>();
            builder.Services.AddJob<Step, StepHandler>(
                "test.step", JobsTestJson.Default.Step, JobsSite.Quick with { LateAfter = TimeSpan.FromMilliseconds(1) });
        });

        var told = "";
        await JobsSite.UntilAsync(async () =>
        {
            using var answer = await host.Internal.GetAsync("/healthz/jobs", Ct);
            told = await answer.Content.ReadAsStringAsync(Ct);
            return answer.StatusCode == HttpStatusCode.ServiceUnavailable;
        });
        using var outside = await host.Client.GetAsync("/healthz/jobs", Ct);

        Assert.Contains("""{"kind":"test.step","succeeded_at":null""", told, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, outside.StatusCode);
    }

    [Fact]
    public async Task All_is_well_while_nothing_is_late()
    {
        await using var host = await HostUnderTest.StartAsync();

        Assert.Equal("""{"status":"ok","kinds":[]}""", await host.Internal.GetStringAsync("/healthz/jobs", Ct));
    }
}
