using System.Text;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;
using Stoa.Platform.Jobs.Calendars;
using Stoa.Platform.Privacy;
using Stoa.Tests.Support;

namespace Stoa.Tests.Authorization;

/// <summary>
/// Plays every operation of the API documents as every caller, over his own and over somebody else's object, and notes each answer that
/// is not the one that the operation's rule demands.
/// </summary>
public sealed class AuthorizationMatrix : IAsyncLifetime
{
    private HostUnderTest? host;
    private HttpClient client = null!;
    private MatrixWorld world = null!;

    internal IReadOnlyList<Operation> Operations { get; private set; } = [];

    internal List<string> Findings { get; } = [];

    public int Calls { get; private set; }

    internal IServiceProvider Services => host!.Services;

    public async ValueTask InitializeAsync()
    {
        var ct = CancellationToken.None;
        // What a route breaks at is worth reading.
        host = await HostUnderTest.StartAsync(new() { ["Logging:LogLevel:Default"] = "Error" }, add: builder =>
            builder.Services.AddSchedule(MatrixRows.Schedule, new ErasePerson(Guid.Empty), TimeSpan.FromDays(1)));
        // Each caller shows what he has and nothing that another was given.
        client = new(new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false }) { BaseAddress = host.Client.BaseAddress };
        world = await MatrixWorld.CreateAsync(host, ct);
        Operations = await Operation.ReadAllAsync(host, ct);
        foreach (var operation in Operations)
        {
            // Operations without a rule or a row are findings of tests of their own.
            if (operation.Rule is not null && MatrixRows.All.TryGetValue(operation.Name, out var row))
            {
                foreach (var caller in world.Callers)
                {
                    await PlayAsync(operation, row, caller, ct);
                }
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (host is not null)
        {
            client.Dispose();
            await host.DisposeAsync();
        }
    }

    private async Task PlayAsync(Operation operation, MatrixRow row, MatrixCaller caller, CancellationToken ct)
    {
        var verdict = caller.VerdictOn(operation);
        var hasForeign = row.Object is not null && row.Whose != Whose.Everybodys;
        if (!hasForeign || caller.OrganizationId is not null)
        {
            var owner = caller.OrganizationId is null ? world.Owner : caller;
            var own = row.Object is null ? [] : await row.Object(world, owner, ct);
            Judge(operation, row, caller, "own", verdict, await AskAsync(operation, row, caller, own, ct));
        }
        if (!hasForeign)
        {
            return;
        }
        await PlayForeignAsync(operation, row, caller, world.StrangerTo(caller), Without(verdict), ct);
        if (row.Whose is Whose.Persons or Whose.PersonsAndAdmins && caller.OrganizationId is not null)
        {
            var sees = row.Whose is Whose.PersonsAndAdmins && caller.Role >= MemberRole.Admin;
            await PlayForeignAsync(operation, row, caller, await world.ColleagueOfAsync(caller, ct), sees ? verdict : Without(verdict), ct);
        }
    }

    /// <summary>He may do this, but to this object he may not: for him there is none.</summary>
    private static Verdict Without(Verdict verdict) => verdict == Verdict.LetIn ? Verdict.NotFound : verdict;

    private async Task PlayForeignAsync(
        Operation operation, MatrixRow row, MatrixCaller caller, MatrixCaller owner, Verdict verdict, CancellationToken ct)
    {
        var values = await row.Object!(world, owner, ct);
        var before = await SeeAsync(operation, owner, values, ct);
        var whose = owner.OrganizationId == caller.OrganizationId ? "a colleague's" : "a stranger's";
        Judge(operation, row, caller, whose, verdict, await AskAsync(operation, row, caller, values, ct));
        if (verdict != Verdict.LetIn && await SeeAsync(operation, owner, values, ct) != before)
        {
            Findings.Add($"{operation.Name} as {caller.Name}: changed {whose}");
        }
    }

    private void Judge(Operation operation, MatrixRow row, MatrixCaller caller, string whose, Verdict verdict, Answer answer)
    {
        Calls++;
        var isRight = verdict switch
        {
            Verdict.LetIn => row.Answers.Count > 0 ? row.Answers.Contains(answer.Status) : answer.Status is >= 200 and < 300,
            Verdict.Unknown => answer.Status == row.Stranger,
            Verdict.Outside => answer.Status is 401 or 403 || answer.Status == row.Stranger,
            Verdict.Refused => answer.Status == 403,
            Verdict.NotFound => answer.Status == row.Missing,
        };
        if (!isRight)
        {
            Findings.Add(
                $"{operation.Name} as {caller.Name}, {whose}: {answer.Status} and not {verdict}: {answer.Text[..Math.Min(answer.Text.Length, 200)]}");
        }
        var seesAll = caller.IsOperator && (operation.Rule == AccessRule.Operator || row.ShowsOperatorsAll);
        var strangers = seesAll ? []
            : world.Callers.Where(known => known.OrganizationId is not null && known.OrganizationId != caller.OrganizationId);
        if (strangers.FirstOrDefault(known => Names(answer.Text, known)) is { } other)
        {
            Findings.Add($"{operation.Name} as {caller.Name}, {whose}: tells of {other.Name}");
        }
    }

    private static bool Names(string text, MatrixCaller other) =>
        ((Guid?[])[other.OrganizationId, other.PersonId, other.KeyId])
            .Any(id => id is { } known && text.Contains(known.ToString(), StringComparison.OrdinalIgnoreCase));

    /// <summary>The object as its owner reads it; empty where no operation reads it.</summary>
    private async Task<string> SeeAsync(Operation operation, MatrixCaller owner, string[] values, CancellationToken ct)
    {
        var reading = Operations.FirstOrDefault(other => other.Method == "GET" && other.Path == operation.ObjectPath);
        if (operation.ChangesNothing || reading is null)
        {
            return "";
        }
        // A refusal may tell the id of its request, which is another each time.
        var answer = await AskAsync(reading, MatrixRows.All[reading.Name], owner, values, ct);
        return answer.Status < 400 ? answer.ToString() : $"{answer.Status}";
    }

    private async Task<Answer> AskAsync(Operation operation, MatrixRow row, MatrixCaller caller, string[] values, CancellationToken ct)
    {
        var answer = await SendAsync(operation, row, caller, values, ct);
        // Some earlier call that changed something may have ended his session.
        if (answer.Status == 401 && world.Renew(caller))
        {
            answer = await SendAsync(operation, row, caller, values, ct);
        }
        if (answer.Status != 401)
        {
            // From here on it is good, unless a call that may do so ends it: one that was refused may not.
            world.HasProven(caller);
        }
        if (!operation.ChangesNothing && answer.Status is not (401 or 403 or 404))
        {
            world.HasChangedSomething(caller);
        }
        return answer;
    }

    private async Task<Answer> SendAsync(Operation operation, MatrixRow row, MatrixCaller caller, string[] values, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(new(operation.Method), new Uri(operation.PathOf(values), UriKind.Relative));
        (await world.FreshAsync(caller, ct)).Show(request, client.BaseAddress!);
        if (row.Body is not null)
        {
            var body = row.Body.Replace("{unique}", world.Unique("matrix"), StringComparison.Ordinal)
                .Replace("{0}", values.FirstOrDefault(), StringComparison.Ordinal)
                .Replace("{1}", values.ElementAtOrDefault(1), StringComparison.Ordinal);
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        }
        try
        {
            using var response = await client.SendAsync(request, ct);
            return new((int)response.StatusCode, await response.Content.ReadAsStringAsync(ct));
        }
        catch (HttpRequestException broken)
        {
            return new(0, broken.Message);
        }
    }

    private sealed record Answer(int Status, string Text);
}
