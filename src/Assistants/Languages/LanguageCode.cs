using Stoa.Assistants.Wire;

namespace Stoa.Assistants.Languages;

internal static class LanguageCode
{
    private const int Longest = 5;

    /// <summary>Two letters, perhaps with a region: generated texts may be in any language.</summary>
    public static string? Read(Fields fields, string name, bool isRequired = true)
    {
        var code = isRequired ? fields.Text(name, Longest) : fields.OptionalText(name, Longest);
        return code is null || fields.IsDocument || Is(code) ? code : throw fields.Wrong(name);
    }

    private static bool Is(string code) => code.Length >= 2 && code.All(letter => char.IsAsciiLetter(letter) || letter is '-' or '_');
}
