using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace Stoa.Platform.Data;

/// <summary>One numbered SQL file. Its checksum does not depend on how the line ends were checked out.</summary>
internal sealed record Migration(int Number, string Name, string Sql)
{
    public string Checksum =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Sql.ReplaceLineEndings("\n"))));
}

/// <summary>The SQL files of one schema, in order.</summary>
internal sealed partial record Migrations(string Schema, IReadOnlyList<Migration> Files)
{
    /// <summary>The files <c>Migrations/NNNN_name.sql</c> that a module carries as resources.</summary>
    public static Migrations Of(string schema, Assembly assembly)
    {
        var files =
            from resource in assembly.GetManifestResourceNames()
            let match = ResourceName().Match(resource)
            where match.Success
            let number = int.Parse(match.Groups["number"].ValueSpan, CultureInfo.InvariantCulture)
            orderby number
            select new Migration(number, match.Groups["name"].Value, Read(assembly, resource));
        return new(schema, [.. files]);
    }

    private static string Read(Assembly assembly, string resource)
    {
        using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!, Encoding.UTF8);
        return reader.ReadToEnd();
    }

    [GeneratedRegex(
        @"\.Migrations\.(?<name>(?<number>\d{4})_[a-z0-9_]+)\.sql$", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex ResourceName();
}
