{% snapshot orders_history %}
{{ config(target_schema='dbt', unique_key='order_id', strategy='check', check_cols=['total']) }}
select order_id, total from {{ source('shop', 'orders') }}
{% endsnapshot %}
