using System.Text;
using Stoa.Platform.Identity;
using Stoa.Tests.Support;

namespace Stoa.Tests.Authorization;

/// <summary>
/// Plays every operation of the API documents as every caller, over his own and over somebody else's object, and notes each answer that
/// is not the one that the operation's rule demands.
/// </summary>
public sealed class AuthorizationMatrix : IAsyncLifetime
{
    private HostUnderTest? host;
    private MatrixWorld world = null!;

    internal IReadOnlyList<Operation> Operations { get; private set; } = [];

    internal List<string> Findings { get; } = [];

    public int Calls { get; private set; }

    internal IServiceProvider Services => host!.Services;

    public async ValueTask InitializeAsync()
    {
        var ct = CancellationToken.None;
        host = await HostUnderTest.StartAsync();
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

    public ValueTask DisposeAsync() => host is null ? default : host.DisposeAsync();

    private async Task PlayAsync(Operation operation, MatrixRow row, MatrixCaller caller, CancellationToken ct)
    {
        var verdict = caller.VerdictOn(operation);
        var stranger = world.StrangerTo(caller);
        if (row.Object is null || row.IsShared || caller.OrganizationId is not null)
        {
            var own = row.Object is null ? [] : await row.Object(world, caller.OrganizationId is null ? stranger : caller, ct);
            Judge(operation, caller, "own", verdict, await AskAsync(operation, row, caller, own, ct));
        }
        if (row.Object is null || row.IsShared)
        {
            return;
        }
        var foreign = await row.Object(world, stranger, ct);
        var before = await SeeAsync(operation, stranger, foreign, ct);
        var answer = await AskAsync(operation, row, caller, foreign, ct);
        Judge(operation, caller, "foreign", verdict == Verdict.LetIn ? Verdict.NotFound : verdict, answer);
        if (await SeeAsync(operation, stranger, foreign, ct) != before)
        {
            Findings.Add($"{operation.Name} as {caller.Name}: changed a foreign object");
        }
    }

    private void Judge(Operation operation, MatrixCaller caller, string tenant, Verdict verdict, Answer answer)
    {
        Calls++;
        var isRight = verdict switch
        {
            Verdict.LetIn => answer.Status is >= 200 and < 300,
            Verdict.Unknown => answer.Status == 401,
            Verdict.Refused => answer.Status == 403,
            Verdict.NotFound => answer.Status == 404,
        };
        if (!isRight)
        {
            Findings.Add($"{operation.Name} as {caller.Name}, {tenant}: {answer.Status} and not {verdict}: {answer.Text[..Math.Min(answer.Text.Length, 200)]}");
        }
        foreach (var other in world.Callers.Where(other => IsForeign(caller, other) && Names(answer.Text, other)))
        {
            Findings.Add($"{operation.Name} as {caller.Name}, {tenant}: tells of {other.Name}");
        }
    }

    /// <summary>Operators see everybody on purpose, where a route is theirs alone.</summary>
    private static bool IsForeign(MatrixCaller caller, MatrixCaller other) =>
        other.OrganizationId is not null && other.OrganizationId != caller.OrganizationId
        && !(caller.OrganizationId == Organization.DefaultId && caller.Role >= MemberRole.Admin);

    private static bool Names(string text, MatrixCaller other) =>
        ((Guid?[])[other.OrganizationId, other.PersonId, other.KeyId])
            .Any(id => id is { } known && text.Contains(known.ToString(), StringComparison.OrdinalIgnoreCase));

    /// <summary>The object as its owner reads it; empty where no operation reads it.</summary>
    private async Task<string> SeeAsync(Operation operation, MatrixCaller owner, string[] values, CancellationToken ct)
    {
        var reading = Operations.FirstOrDefault(other => other.Method == "GET" && other.Path == operation.ObjectPath);
        return operation.ChangesNothing || reading is null ? ""
            : (await AskAsync(reading, MatrixRows.All[reading.Name], owner, values, ct)).ToString();
    }

    private async Task<Answer> AskAsync(Operation operation, MatrixRow row, MatrixCaller caller, string[] values, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(new(operation.Method), new Uri(operation.PathOf(values), UriKind.Relative));
        caller.Show(request, host!.Client.BaseAddress!);
        if (row.Body is not null)
        {
            request.Content = new StringContent(
                row.Body.Replace("{unique}", world.Unique("matrix"), StringComparison.Ordinal), Encoding.UTF8, "application/json");
        }
        using var response = await host!.Client.SendAsync(request, ct);
        return new((int)response.StatusCode, await response.Content.ReadAsStringAsync(ct));
    }

    private sealed record Answer(int Status, string Text);
}
