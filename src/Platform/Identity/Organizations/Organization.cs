namespace Stoa.Platform.Identity;

public sealed record Organization(Guid Id, string Slug, string Name)
{
    /// <summary>The organization <c>default</c>, which every installation has.</summary>
    public static readonly Guid DefaultId = new("00000000-0000-7000-8000-000000000001");
}
