using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Stoa.Tests.Support;
using static System.Net.Http.HttpMethod;

namespace Stoa.Tests.Learning;

/// <summary>An organization may pay for what a school asks of models.</summary>
public sealed class SchoolPayerTests
{
    private const string Company = "01990000-0000-7000-8000-000000000077";

    [Fact]
    public async Task An_organization_pays_once_somebody_of_both_says_so_until_somebody_of_either_ends_it()
    {
        await using var site = await LearningSite.StartAsync();
        var school = await School.OpenAsync(site, "company-school");
        var path = $"/organizations/{school.Org}";
        await site.SqlAsync($"""
            insert into platform.organizations (id, slug, name) values ('{Company}', 'company', 'Company');
            insert into platform.memberships (organization_id, person_id, role, created_at)
            select '{Company}', person_id,
              case email when '{school.Other.Email}' then 'owner' when '{school.Owner.Email}' then 'admin' else 'member' end, now()
            from learning.users where email in ('{school.Other.Email}', '{school.Owner.Email}', '{school.Admin.Email}')
            """);
        var own = await PayerAsync();

        foreach (var (caller, payer, answer) in ((Learner, JsonNode?, string)[])
            [
                (school.Admin, Company, "403 Forbidden"), (school.Other, Company, "403 Forbidden"), (school.Mentor, null, "403 Forbidden"),
                (school.Owner, "00000000-0000-7000-8000-000000000001", "403 Forbidden"),
                (school.Owner, Guid.Empty.ToString(), "403 Forbidden"),
            ])
        {
            Assert.Equal(answer, await site.StatusesAsync(caller, Put, $"{path}/payer", Payer(payer)));
        }
        Assert.StartsWith(
            "422 ", await site.StatusesAsync(school.Owner, Put, $"{path}/payer", Payer("the company")), StringComparison.Ordinal);
        Assert.Equal(own, await PayerAsync());

        await site.PutAsync(school.Owner, $"{path}/payer", Payer(Company));
        Assert.Equal(Guid.Parse(Company), await PayerAsync());
        // Its keys and limits are the organization's own matter.
        Assert.Equal("404 Budget not found", await site.StatusesAsync(school.Owner, Get, $"{path}/budget"));
        Assert.Empty((await site.GetAsync(school.Owner, $"{path}/provider_keys")).AsArray());
        Assert.Equal(
            "400 Another organization pays for this one, and its keys are used",
            await site.StatusesAsync(school.Owner, Put, $"{path}/provider_keys/openai", new JsonObject { ["key"] = "sk-1" }));
        Assert.Equal("403 Forbidden", await site.StatusesAsync(school.Learner, Put, $"{path}/payer", Payer(null)));

        await site.PutAsync(school.Other, $"{path}/payer", Payer(null));
        Assert.NotEqual(Guid.Parse(Company), await PayerAsync());
        Assert.Equal(20, (double)(await site.GetAsync(school.Owner, $"{path}/budget"))["amount"]!);
        Assert.Equal(0L, await site.ValueAsync<long>($"select count(*) from gateway.budgets where organization_id = '{Company}'"));

        Task<Guid> PayerAsync() => site.ValueAsync<Guid>($"select organization_id from learning.organizations where id = {school.Org}");
    }

    [Fact]
    public async Task Who_is_losing_the_right_to_say_so_at_this_moment_has_none()
    {
        await using var site = await LearningSite.StartAsync();
        var school = await School.OpenAsync(site, "company-school");
        await site.SqlAsync($"""
            insert into platform.organizations (id, slug, name) values ('{Company}', 'company', 'Company');
            insert into platform.memberships (organization_id, person_id, role, created_at)
            select '{Company}', person_id, 'admin', now() from learning.users where email = '{school.Owner.Email}'
            """);
        var ct = TestContext.Current.CancellationToken;
        await using var connection = await site.Host.Services.GetRequiredService<NpgsqlDataSource>().OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await using var demote =
            new NpgsqlCommand($"update platform.memberships set role = 'member' where organization_id = '{Company}'", connection);
        await demote.ExecuteNonQueryAsync(ct);

        var asked = site.StatusesAsync(school.Owner, Put, $"/organizations/{school.Org}/payer", Payer(Company));
        await Patience.UntilAsync(async () => asked.IsCompleted || await site.ValueAsync<long>(
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'") > 0);
        await transaction.CommitAsync(ct);

        Assert.Equal("403 Forbidden", await asked);
        Assert.False(await site.ValueAsync<bool>($"select is_paid_for from learning.organizations where id = {school.Org}"));
    }

    private static JsonObject Payer(JsonNode? organization) => new() { ["organization_id"] = organization };
}
