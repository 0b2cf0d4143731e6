{% if cookiecutter.use_tests %}
import {{ cookiecutter.package }}


def test_{{ cookiecutter.name }}(tmp_path):
    {{ body | indent(4) }}
{% endif %}
