using System.Globalization;

namespace Stoa.Platform.Data;

/// <summary>A folder with PostgreSQL's server programs.</summary>
public sealed record PostgresBinaries(string Folder, int Major)
{
    public const int OldestMajor = 15;

    private const string Product = "(PostgreSQL) ";

    private static readonly string[] Prefixes = ["postgresql@", "pgsql-"];
    private static readonly string[] Programs = ["initdb", "pg_ctl", "postgres"];

    private static readonly (string Root, string Below)[] Homes =
    [
        ("/usr/lib/postgresql", "bin"), // Debian, Ubuntu
        ("/opt/homebrew/opt", "bin"), // Homebrew on Apple silicon
        ("/usr/local/opt", "bin"), // Homebrew on Intel
        ("/home/linuxbrew/.linuxbrew/opt", "bin"),
        ("/Applications/Postgres.app/Contents/Versions", "bin"),
        ("/usr", "bin"), // pgsql-17 of the PGDG packages for Fedora and its kin
    ];

    public string this[string program] => Path.Combine(Folder, program);

    /// <param name="setting">The operator's folder (<c>Stoa:PostgresBin</c>); nothing else is tried when it is given.</param>
    /// <param name="existing">The version that made the cluster on disk; only the same one can read it.</param>
    public static async Task<PostgresBinaries> FindAsync(string? setting, int? existing, CancellationToken ct)
    {
        var folders = string.IsNullOrWhiteSpace(setting) ? Command.Folders().Concat(UsualFolders()) : [setting];
        var found = new SortedSet<int>();
        foreach (var folder in folders.Distinct(StringComparer.Ordinal).Where(HasServer))
        {
            var major = await MajorOfAsync(folder, ct);
            if (major >= OldestMajor && (existing ?? major) == major)
            {
                return new(folder, major);
            }
            found.Add(major);
        }
        throw new DatabaseException(Missing(setting, existing, found));
    }

    private static string Missing(string? setting, int? existing, SortedSet<int> found)
    {
        var where = string.IsNullOrWhiteSpace(setting) ? "on this machine" : $"in {setting} (Stoa:PostgresBin)";
        var seen = found.Count == 0 ? "" : $" (found {string.Join(", ", found)})";
        return existing is { } major
            ? $"The database on disk was made by PostgreSQL {major}, which is not {where}{seen}: install postgresql-{major}, or set " +
              "ConnectionStrings__Stoa."
            : $"No PostgreSQL {OldestMajor} or newer {where}{seen}: install it (apt-get install postgresql, or brew install " +
              "postgresql@17), name its bin folder in Stoa__PostgresBin, or set ConnectionStrings__Stoa.";
    }

    private static IEnumerable<string> UsualFolders() =>
        from home in Homes
        where Directory.Exists(home.Root)
        from version in Directory.EnumerateDirectories(home.Root)
        let number = VersionOf(Path.GetFileName(version))
        where number is not null
        orderby number descending
        select Path.Combine(version, home.Below);

    private static bool HasServer(string folder) => Programs.All(program => File.Exists(Path.Combine(folder, program)));

    private static async Task<int> MajorOfAsync(string folder, CancellationToken ct)
    {
        var outcome = await Command.RunAsync(Path.Combine(folder, "postgres"), ["--version"], ct);
        return outcome.Succeeded ? MajorIn(outcome.Output) : 0;
    }

    // No regular expressions: each start would build them.

    /// <summary>Of the name of a folder: 17, 9.6, postgresql@17, pgsql-17.</summary>
    internal static decimal? VersionOf(string folder)
    {
        var prefix = Prefixes.FirstOrDefault(prefix => folder.StartsWith(prefix, StringComparison.Ordinal)) ?? "";
        var number = folder.AsSpan(prefix.Length);
        return decimal.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var version) ? version : null;
    }

    /// <summary>Of what <c>postgres --version</c> says; 0 when it names none.</summary>
    internal static int MajorIn(ReadOnlySpan<char> said)
    {
        var at = said.IndexOf(Product, StringComparison.Ordinal);
        if (at < 0)
        {
            return 0;
        }
        var rest = said[(at + Product.Length)..];
        var end = rest.IndexOfAnyExceptInRange('0', '9');
        return int.TryParse(end < 0 ? rest : rest[..end], NumberStyles.None, CultureInfo.InvariantCulture, out var major) ? major : 0;
    }
}
