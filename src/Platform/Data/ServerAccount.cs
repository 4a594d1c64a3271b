namespace Stoa.Platform.Data;

/// <summary>
/// The account that PostgreSQL runs as: our own, or an unprivileged one when we are root, which PostgreSQL refuses.
/// Everything inside the cluster's folder is done as that account, so that root never follows a link it left there.
/// </summary>
internal sealed class ServerAccount
{
    private readonly string[] prefix;
    private readonly string group;

    private ServerAccount(string? name, string group, string[] prefix)
    {
        Name = name;
        this.group = group;
        this.prefix = prefix;
    }

    /// <summary>Null when it is our own account.</summary>
    public string? Name { get; }

    public static async Task<ServerAccount> ForAsync(string folder, CancellationToken ct)
    {
        if (!Environment.IsPrivilegedProcess)
        {
            return new(null, "", []);
        }
        string?[] candidates = [await OwnerOfAsync(folder, ct), "postgres", "nobody"];
        foreach (var name in candidates.OfType<string>())
        {
            var id = await Command.RunAsync("id", ["-g", name], ct);
            if (id.Succeeded)
            {
                var group = id.Output.Trim();
                return new(name, group, PrefixFor(name, group));
            }
        }
        throw new DatabaseException("PostgreSQL does not run as root and there is no user postgres or nobody: create one.");
    }

    public Task<Command.Outcome> RunAsync(string program, IEnumerable<string> arguments, string input, CancellationToken ct) =>
        prefix is [var first, .. var rest]
            ? Command.RunAsync(first, [.. rest, program, .. arguments], input, ct)
            : Command.RunAsync(program, arguments, input, ct);

    public Task<Command.Outcome> RunAsync(string program, IEnumerable<string> arguments, CancellationToken ct) =>
        RunAsync(program, arguments, "", ct);

    /// <summary>Makes a folder that is this account's alone. False when the account cannot reach or write it.</summary>
    public async Task<bool> OwnAsync(string folder, CancellationToken ct)
    {
        string[] owner = Name is null ? [] : ["-o", Name, "-g", group];
        var made = await Command.RunAsync("install", ["-d", "-m", "700", .. owner, folder], ct);
        if (!made.Succeeded)
        {
            throw new DatabaseException($"Cannot make {folder}: {made.Complaint}");
        }
        return (await RunAsync("test", ["-w", folder], ct)).Succeeded;
    }

    private static async Task<string?> OwnerOfAsync(string folder, CancellationToken ct)
    {
        if (!Directory.Exists(folder))
        {
            return null;
        }
        string[] format = OperatingSystem.IsMacOS() ? ["-f", "%Su"] : ["-c", "%U"];
        var owner = await Command.RunAsync("stat", [.. format, folder], ct);
        return owner.Output.Trim() is { Length: > 0 } name and not ("root" or "UNKNOWN") ? name : null;
    }

    private static string[] PrefixFor(string name, string group) =>
        Command.Find("setpriv") is { } setpriv ? [setpriv, "--reuid", name, "--regid", group, "--clear-groups", "--"]
        : Command.Find("runuser") is { } runuser ? [runuser, "-u", name, "--"]
        : Command.Find("sudo") is { } sudo ? [sudo, "-n", "-u", name, "--"]
        : throw new DatabaseException("PostgreSQL does not run as root and there is no setpriv, runuser or sudo: install util-linux.");
}
