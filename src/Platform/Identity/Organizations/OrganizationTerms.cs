using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;
using Stoa.Platform.Http;

namespace Stoa.Platform.Identity;

/// <param name="Slug">Its name in addresses: lower-case letters, digits and hyphens. It never changes.</param>
public sealed partial record OrganizationTerms(string? Slug, string? Name)
{
    private static readonly FieldError WrongName = new("name", "name must have between 1 and 200 characters and no control characters");

    public IEnumerable<FieldError> Check()
    {
        if (Slug is null || !SlugForm().IsMatch(Slug))
        {
            yield return new("slug", "slug must have 1 to 63 lower-case letters, digits and hyphens, and begin with no hyphen");
        }
        if (!PersonTerms.IsName(Name))
        {
            yield return WrongName;
        }
    }

    internal static void CheckName([NotNull] string? name)
    {
        if (!PersonTerms.IsName(name))
        {
            throw Failure.Invalid(WrongName.Message, WrongName.Field);
        }
    }

    [GeneratedRegex("^[a-z0-9][a-z0-9-]{0,62}$", RegexOptions.NonBacktracking)]
    private static partial Regex SlugForm();
}
