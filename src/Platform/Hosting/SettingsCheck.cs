using System.Collections;
using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Stoa.Platform.Hosting;

internal sealed record SettingsSection(string Path, Type Type, Func<IServiceProvider, object> Value);

/// <summary>Checks every registered section: a wrong setting is one clear line, never a stack trace or a silent default.</summary>
internal static class SettingsCheck
{
    /// <summary>All that is wrong; the rules are asked only of values that could be read.</summary>
    public static List<SettingProblem> Problems(IServiceProvider services)
    {
        var configuration = services.GetRequiredService<IConfiguration>();
        var sections = services.GetServices<SettingsSection>().ToArray();
        List<SettingProblem> problems = [.. sections.SelectMany(section => WrongValues(configuration, section)),
            .. UnknownNames(configuration, sections)];
        if (problems.Count == 0)
        {
            problems.AddRange(sections.SelectMany(section => BrokenRules(configuration, section, services)));
        }
        return problems;
    }

    public static void Throw(IEnumerable<SettingProblem> found)
    {
        if (found.ToArray() is { Length: > 0 } problems)
        {
            throw new WrongSettingException(problems);
        }
    }

    /// <summary>Values that the binder would not understand.</summary>
    public static IEnumerable<SettingProblem> WrongValues(IConfiguration configuration, SettingsSection section) =>
        from leaf in configuration.GetSection(section.Path).AsEnumerable(makePathsRelative: true)
        where !string.IsNullOrEmpty(leaf.Value)
        let type = SettingsShape.TypeAt(section.Type, leaf.Key)
        where type is not null
        let rule = SettingsShape.RuleBroken(type, leaf.Value)
        where rule is not null
        select Problem(configuration, $"{section.Path}:{leaf.Key}", rule);

    public static IEnumerable<SettingProblem> BrokenRules(IConfiguration configuration, SettingsSection section, object settings)
    {
        List<(string Key, string Rule)> broken = [];
        Validate(settings, section.Path, broken);
        return broken.Select(rule => Problem(configuration, rule.Key, rule.Rule));
    }

    private static IEnumerable<SettingProblem> BrokenRules(
        IConfiguration configuration, SettingsSection section, IServiceProvider services)
    {
        try
        {
            return BrokenRules(configuration, section, section.Value(services));
        }
        catch (OptionsValidationException e)
        {
            return e.Failures.Select(failure => failure.Split(' ', 2) is [var key, var rule]
                ? Problem(configuration, $"{section.Path}:{key}", rule)
                : Problem(configuration, section.Path, failure));
        }
    }

    /// <summary>Names below one of our sections that no settings class has: most often a slip of the finger.</summary>
    private static IEnumerable<SettingProblem> UnknownNames(IConfiguration configuration, SettingsSection[] sections)
    {
        foreach (var top in sections.Select(section => section.Path.Split(':')[0]).Distinct(StringComparer.OrdinalIgnoreCase))
        {
            foreach (var (key, value) in configuration.GetSection(top).AsEnumerable())
            {
                if (value is not null && !sections.Any(section => SettingsShape.Knows(section, key)))
                {
                    yield return Problem(configuration, key, $"is not a setting{SettingsShape.Nearest(sections, key)}");
                }
            }
        }
    }

    private static void Validate(object settings, string path, List<(string, string)> broken)
    {
        List<ValidationResult> results = [];
        Validator.TryValidateObject(settings, new(settings), results, validateAllProperties: true);
        foreach (var result in results)
        {
            var member = result.MemberNames.FirstOrDefault();
            var rule = (result.ErrorMessage ?? "is wrong")
                .Replace($"The field {member} ", "", StringComparison.Ordinal)
                .Replace($"The {member} field ", "", StringComparison.Ordinal);
            broken.Add((member is null ? path : $"{path}:{member}", rule));
        }
        foreach (var property in SettingsShape.PropertiesOf(settings.GetType()))
        {
            var value = property.GetValue(settings);
            if (value is IDictionary dictionary)
            {
                foreach (DictionaryEntry entry in dictionary)
                {
                    ValidateInner(entry.Value, $"{path}:{property.Name}:{entry.Key}", broken);
                }
            }
            else if (value is IEnumerable items and not string)
            {
                var index = 0;
                foreach (var item in items)
                {
                    ValidateInner(item, $"{path}:{property.Name}:{index++}", broken);
                }
            }
            else
            {
                ValidateInner(value, $"{path}:{property.Name}", broken);
            }
        }
    }

    private static void ValidateInner(object? value, string path, List<(string, string)> broken)
    {
        if (value is not null && SettingsShape.IsGroup(value.GetType()))
        {
            Validate(value, path, broken);
        }
    }

    private static SettingProblem Problem(IConfiguration configuration, string key, string rule) =>
        new(key, rule, SettingSource.Of(configuration, key));
}
