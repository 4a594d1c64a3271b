using Stoa.Platform.Data;

namespace Stoa.Tests.Jobs;

public sealed class SystemSchedulesTests(OuterSite site) : IClassFixture<OuterSite>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Old_months_of_finished_jobs_are_forgotten_by_a_schedule()
    {
        var source = (Npgsql.NpgsqlDataSource)site.Services.GetService(typeof(Npgsql.NpgsqlDataSource))!;
        await using (var connection = await source.OpenConnectionAsync(Ct))
        {
            await MonthlyPartitions.EnsureAsync(connection, "platform.finished_jobs", new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero), Ct);
        }
        using var admin = site.Client();

        using var run = await admin.PostAsync($"{OuterSite.Root}/schedules/platform.forget_finished_jobs/run", null, Ct);
        await site.UntilAsync(Guid.Parse(run.Headers.Location!.OriginalString.Split('/')[^1]), "succeeded");

        Assert.True(await site.ScalarAsync<bool>("select to_regclass('platform.finished_jobs_202001') is null"));
        Assert.True(await site.ScalarAsync<bool>(
            $"select to_regclass('platform.finished_jobs_{TimeProvider.System.GetUtcNow():yyyyMM}') is not null"));
    }
}
