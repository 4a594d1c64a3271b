using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;

namespace Stoa.Platform.Data;

/// <summary>One numbered SQL file. Its checksum does not depend on how the line ends were checked out.</summary>
internal sealed record Migration(int Number, string Name, string Sql)
{
    public string Checksum =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Sql.ReplaceLineEndings("\n"))));
}

/// <summary>The SQL files of one schema, in order.</summary>
internal sealed record Migrations(string Schema, IReadOnlyList<Migration> Files)
{
    private const string Folder = ".Migrations.";
    private const string Ending = ".sql";
    private const int Digits = 4;

    /// <summary>The files <c>Migrations/NNNN_name.sql</c> that a module carries as resources.</summary>
    public static Migrations Of(string schema, Assembly assembly)
    {
        var files =
            from resource in assembly.GetManifestResourceNames()
            let name = NameOf(resource)
            where name is not null
            let number = int.Parse(name.AsSpan(0, Digits), NumberStyles.None, CultureInfo.InvariantCulture)
            orderby number
            select new Migration(number, name, Read(assembly, resource));
        return new(schema, [.. files]);
    }

    private static string Read(Assembly assembly, string resource)
    {
        using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!, Encoding.UTF8);
        return reader.ReadToEnd();
    }

    /// <summary><c>0001_name</c>; null of a resource that is no such file. No regular expression: each start would build it.</summary>
    internal static string? NameOf(string resource)
    {
        var at = resource.LastIndexOf(Folder, StringComparison.Ordinal);
        if (at < 0 || !resource.AsSpan(at + Folder.Length).EndsWith(Ending, StringComparison.Ordinal))
        {
            return null;
        }
        var name = resource[(at + Folder.Length)..^Ending.Length];
        return name.Length > Digits + 1 && name[..Digits].All(char.IsAsciiDigit) && name[Digits] is '_'
            && name.All(letter => char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter) || letter is '_') ? name : null;
    }
}
